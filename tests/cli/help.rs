//! Pins the tree of commands and flags, which is an interface.

use clap::CommandFactory as _;
use demarche_numerique::cli::Cli;

use super::harness::Harness;

fn tree(command: &clap::Command, path: &str, lines: &mut Vec<String>) {
    let mut line = path.to_owned();
    for arg in command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && !["help", "version"].contains(&arg.get_id().as_str()))
    {
        match arg.get_long() {
            Some(long) => line.push_str(&format!(" --{long}")),
            None => line.push_str(&format!(" <{}>", arg.get_id())),
        }
    }
    lines.push(line);
    for inner in command.get_subcommands() {
        tree(inner, &format!("{path} {}", inner.get_name()), lines);
    }
}

#[test]
fn the_tree_of_commands() {
    let mut lines = Vec::new();
    tree(&Cli::command(), "dn", &mut lines);
    insta::assert_snapshot!(lines.join("\n"), @r"
    dn
    dn demo --to --seed --dossiers --platform
    dn sandbox --port --seed --dossiers --pace --grist --platform
    dn init
    dn init grist --url --document --new --workspace --demarche --instance --platform --policy --restyle --write --yes
    dn sync --demarche --instance --url --platform --to --policy --page-size --full --allow-deletes --restore-columns --accept-address --files --json
    dn run --demarche --instance --url --platform --to --policy --workers
    dn plan --demarche --instance --url --platform --to --policy --page-size --full --exit-code --json
    dn verify --demarche --instance --url --platform --to --policy --repair --allow-deletes --json
    dn status --demarche --instance --url --platform --to --policy --runs --json
    dn schema --demarche --instance --url --platform --json
    dn dossier <number> <action> --instance --url --platform --as --motivation --message --correction --file --set --annotation --groupe --label --message-id --silent --overrule --again --yes --json
    dn push --demarche --instance --url --platform --to --policy --from --apply --as --adopt --retry --cancel --done --json
    dn trail --demarche --instance --url --platform --to --policy --csv --json
    dn remap --demarche --instance --url --platform --to --policy --json
    dn retention --demarche --instance --url --platform --to --policy --apply --allow-deletes --json
    dn register --demarche --instance --url --platform --to --policy --json
    dn doctor --demarche --instance --url --platform --to --policy --json
    dn config
    dn config example
    dn config check
    dn completions <shell>
    ");
}

#[test]
fn every_help_begins_with_a_verb_and_every_flag_has_one() {
    fn check(command: &clap::Command) {
        let verb = |text: &str| {
            let first = text.split_whitespace().next().unwrap_or_default();
            first.starts_with(char::is_uppercase) && !["The", "A", "An", "This", "Whether"].contains(&first)
        };
        let about = command.get_about().unwrap_or_else(|| panic!("{} has no help", command.get_name())).to_string();
        assert!(verb(&about), "{}: {about}", command.get_name());
        for arg in command.get_arguments() {
            let help = arg.get_help().unwrap_or_else(|| panic!("{} has no help", arg.get_id())).to_string();
            assert!(verb(&help), "{} {}: {help}", command.get_name(), arg.get_id());
        }
        command.get_subcommands().for_each(check);
    }
    check(&Cli::command());
}

#[tokio::test]
async fn help_is_a_command_too() {
    let harness = Harness::with(0).await;
    for (asked, same) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "sync"], &["sync", "--help"]),
        (&["help", "init", "grist"], &["init", "grist", "--help"]),
        (&["help", "config", "check"], &["config", "check", "--help"]),
    ] {
        let (asked, same) = (harness.dn(asked).await.expect(0), harness.dn(same).await.expect(0));
        assert_eq!(asked.stdout, same.stdout);
    }
    let root = harness.dn(&["help"]).await.expect(0).stdout;
    assert!(root.contains("Exit codes:") && root.contains("\n  help "), "{root}");
    harness.dn(&["help", "sinc"]).await.expect(2);
}

#[test]
fn the_long_help_of_the_root_lists_the_exit_codes() {
    let help = Cli::command().render_long_help().to_string();
    for line in ["Exit codes:", "   5  done, but not all of it", "  11  done, but more dossiers are gone"] {
        assert!(help.contains(line), "{help}");
    }
}
