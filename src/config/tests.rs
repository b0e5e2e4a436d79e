//! Configurations right and wrong.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::api::PageSize;
use crate::ids::DemarcheNumber;

pub(super) const EXAMPLE: &str = include_str!("../../config/example.toml");

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new("dn.toml"), text)
}

pub(super) fn nothing(_: &str) -> Option<String> {
    None
}

fn flags(demarches: &[u32]) -> Overrides {
    Overrides { demarches: demarches.iter().copied().map(DemarcheNumber::new).collect(), ..Overrides::default() }
}

#[test]
fn everything_that_is_wrong_is_reported_at_once_with_its_place() {
    let error = parse(
        r#"
[instances.dn]
platfrom = "demat-social"
url = "http://example.org/graphql"
page-size = 500
token-env = "NmQ0ZTk0YjItc2VjcmV0"

[instances.Grand]
token = "s3cret"

[targets.local]
type = "sqllite"

[targets.equipe]
type = "grist"
path = "dossiers.db"
documnt = "kZ8mQv2Xw9Lr"
url = "http://example.org"
key = "k3y-pasted"
restore-columns = "yes"

[targets.fichier]
type = "sqlite"
document = "kZ8mQv2Xw9Lr"

[sync]
overlap = 15
follow-up = "30m"
max-delete-share = 5

[[demarches]]
numer = 12
instance = "dm"
target = "local"
page-size = 10

[[demarches]]
number = 0
instance = "dn"
target = "local"
privacy = "defualt"
"#,
    )
    .expect_err("nearly everything is wrong");
    insta::assert_snapshot!(error, @r#"
    dn.toml:3:1: instances.dn.platfrom: unknown key (did you mean `platform`?)
    dn.toml:4:7: instances.dn.url: plain http to example.org would show the token to the network (use https; http is for this very machine (localhost, 127.0.0.1))
    dn.toml:5:13: instances.dn.page-size: 500 is not between 1 and 100
    dn.toml:6:13: instances.dn.token-env: the name of an environment variable is expected, in capitals (the secret itself is never written in this file)
    dn.toml:8:12: instances.Grand: a name is made of at most 24 small letters, digits and hyphens (it begins with a letter)
    dn.toml:8:12: instances.Grand: with several instances each must name its token (add `token-env` or `token-file`)
    dn.toml:9:1: instances.Grand.token: a secret is never written in this file (name its variable with `token-env`, or its file with `token-file`)
    dn.toml:12:8: targets.local.type: no type of target is called `sqllite` (did you mean `sqlite`?)
    dn.toml:14:10: targets.equipe.document: the document is missing (its id, or its address as copied from a browser)
    dn.toml:16:8: targets.equipe.path: a target of type "grist" has no `path` (it belongs to type "sqlite")
    dn.toml:17:1: targets.equipe.documnt: unknown key (did you mean `document`?)
    dn.toml:18:7: targets.equipe.url: plain http to example.org would show the key to the network (use https; http is for this very machine (localhost, 127.0.0.1))
    dn.toml:19:1: targets.equipe.key: a secret is never written in this file (name its variable with `key-env`, or its file with `key-file`)
    dn.toml:20:19: targets.equipe.restore-columns: true or false is expected, not a text (such as `restore-columns = false`)
    dn.toml:22:10: targets.fichier.path: the path of the file is missing (such as `path = "dossiers.db"`)
    dn.toml:24:12: targets.fichier.document: a target of type "sqlite" has no `document` (it belongs to type "grist")
    dn.toml:27:11: sync.overlap: a duration in quotes is expected, not a whole number (such as `overlap = "15m"`)
    dn.toml:28:13: sync.follow-up: 30m read again every 1h would leave gaps (read again at least 1h, or more often)
    dn.toml:29:20: sync.max-delete-share: a share lies between 0 and 1 (5 % is written 0.05)
    dn.toml:31:1: demarches[0].number: the number of the démarche is missing (such as `number = 1001`)
    dn.toml:32:1: demarches[0].numer: unknown key (did you mean `number`?)
    dn.toml:33:12: demarches[0].instance: no instance is called `dm` (known: Grand, dn)
    dn.toml:35:1: demarches[0].page-size: unknown key (it belongs in [instances.*])
    dn.toml:38:10: demarches[1].number: 0 is not between 1 and 4294967295
    dn.toml:41:11: demarches[1].privacy: no privacy policy is called `defualt` (did you mean `default`?)
    "#);
    for secret in ["s3cret", "NmQ0ZTk0", "k3y-pasted"] {
        assert!(!error.to_string().contains(secret), "{secret} is repeated");
    }
}

#[test]
fn a_grist_document_is_a_target() {
    let config = parse(
        "[targets.equipe]\ntype = 'grist'\ndocument = 'https://grist.example.org/o/docs/kZ8mQv2Xw9Lr/Suivi/p/3'\n\
         key-file = 'grist.key'\nrestore-columns = true\n",
    );
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let jobs = resolve(&config, &flags(&[1]), &nothing).unwrap_or_else(|error| panic!("{error}"));
    let Target::Grist(grist) = &jobs[0].target.value else { panic!("{:?}", jobs[0].target) };
    assert_eq!(jobs[0].target.value.to_string(), "grist:kZ8mQv2Xw9Lr");
    assert_eq!(grist.url.value.as_str(), "https://grist.example.org/o/docs");
    assert_eq!((grist.url.origin.to_string(), grist.key.origin.to_string()), ("dn.toml:3".into(), "dn.toml:4".into()));
    assert_eq!(grist.key.value, SecretSource::File("grist.key".into()));
    assert!(grist.options.restore_columns.value);
    // Its own key stands for its own address, whatever the environment says.
    let elsewhere = |name: &str| (name == "GRIST_URL").then(|| "https://other.example.org".to_owned());
    let jobs = resolve(&config, &flags(&[1]), &elsewhere).unwrap_or_else(|error| panic!("{error}"));
    assert!(
        matches!(&jobs[0].target.value, Target::Grist(grist) if grist.url.value.host_str() == Some("grist.example.org"))
    );
}

#[test]
fn a_flag_brings_deleted_columns_back() {
    let variables = |name: &str| (name == "GRIST_URL").then(|| "https://grist.example.org".to_owned());
    let to = |to: &str| Overrides { to: Some(to.to_owned()), restore_columns: true, ..flags(&[1]) };
    let jobs = resolve(&Config::default(), &to("grist:kZ8mQv2Xw9Lr"), &variables);
    let jobs = jobs.unwrap_or_else(|error| panic!("{error}"));
    let Target::Grist(grist) = &jobs[0].target.value else { panic!("{:?}", jobs[0].target) };
    assert_eq!(
        (grist.options.restore_columns.value, grist.options.restore_columns.origin.to_string().as_str()),
        (true, "--restore-columns")
    );
    let error = resolve(&Config::default(), &to("sqlite:d.db"), &variables).expect_err("no document");
    assert!(error.to_string().contains("--restore-columns"), "{error}");
}

#[test]
fn each_of_several_instances_of_grist_has_its_key() {
    let target = |name: &str, rest: &str| format!("[targets.{name}]\ntype='grist'\ndocument='kZ8mQv2Xw9Lr'\n{rest}\n");
    let of = |name: &str, host: &str, key: &str| target(name, &format!("url='https://{host}.example.org'\n{key}"));
    for (file, expected) in [
        (of("a", "one", "") + &of("b", "one", ""), None),
        (of("a", "one", "key-env='A'") + &of("b", "two", "key-file='b'"), None),
        (of("a", "one", "key-env='A'") + &of("b", "two", ""), Some("dn.toml:6:10: targets.b: with several instances")),
        (of("a", "one", "key-env='A'") + &target("b", ""), Some("dn.toml:6:10: targets.b: with several instances")),
    ] {
        let told = parse(&file).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(told, None, "{file}"),
            Some(words) => assert!(told.as_ref().is_some_and(|told| told.starts_with(words)), "{told:?}"),
        }
    }
    let two =
        "[targets.a]\ntype='grist'\nurl='https://a.example.org'\ndocument='https://b.example.org/doc/kZ8mQv2Xw9Lr'\n";
    let error = parse(two).expect_err("two addresses").to_string();
    assert!(error.contains("dn.toml:3:5: targets.a.url: the document is on another instance than `url`"), "{error}");
}

#[test]
fn what_is_not_toml_is_told_with_its_place_and_without_the_line() {
    let error = parse("[instances.dn]\ntoken = s3cret value\n").expect_err("not TOML");
    assert!(error.to_string().starts_with("dn.toml:2:"), "{error}");
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

#[test]
fn columns_count_characters() {
    let error = parse("# é\ninstances = { dn = { url = \"é\", urll = 1 } }\n").expect_err("unknown key");
    let places: Vec<_> = error.problems.iter().map(|problem| problem.at).collect();
    assert_eq!(places, [Some((2, 28)), Some((2, 33))]);
}

#[test]
fn wrong_files_are_refused() {
    for (case, text, expected) in [
        (
            "a twin",
            "[instances.a]\n[targets.t]\ntype='sqlite'\npath='x'\n[[demarches]]\nnumber=1\n[[demarches]]\nnumber=1\n",
            "twice",
        ),
        ("no instance", "[targets.t]\ntype='sqlite'\npath='x'\n[[demarches]]\nnumber=1\n", "no instance is defined"),
        ("no target", "[instances.a]\n[[demarches]]\nnumber=1\n", "no target is defined"),
        (
            "two instances, none named",
            "[instances.a]\ntoken-env='A'\n[instances.b]\ntoken-env='B'\n[targets.t]\ntype='sqlite'\npath='x'\n[[demarches]]\nnumber=1\n",
            "one of: a, b",
        ),
        ("two instances, one token", "[instances.a]\ntoken-env='A'\n[instances.b]\n", "each must name its token"),
        ("variable and file", "[instances.a]\ntoken-env='A'\ntoken-file='f'\n", "is given as well"),
        ("not tables", "demarches = 3\n", "[[demarches]]"),
        ("not a table", "[instances]\ndn = 3\n", "a table is expected"),
        ("a target without path", "[targets.t]\ntype='sqlite'\n", "the path of the file is missing"),
        ("a name that no kind has", "[privacy.p.kinds]\ni-ban = 'mask'\n", "did you mean `iban`?"),
        ("an unknown treatment", "[privacy.p.kinds]\niban = 'masq'\n", "did you mean `mask`?"),
        (
            "a key in the wrong section",
            "[targets.t]\ntype='sqlite'\npath='x'\ntoken-env='X'\n",
            "it belongs in [instances.*]",
        ),
        ("a huge number", "[instances.a]\npage-size = 99999999999999999999\n", "between 1 and 100"),
        ("a port without an address", "[run]\nlisten = ':9464'\n", "127.0.0.1:9464"),
        ("a name instead of an address", "[run]\nlisten = 'localhost:9464'\n", "is not an address with a port"),
        ("a day that there is not", "[instances.a]\ntoken-expires = '2027-02-30'\n", "is not a day"),
        ("an endpoint for one démarche", "[[demarches]]\nlisten = '127.0.0.1:1'\n", "it belongs in [run]"),
        ("a webhook that nobody hears", "[instances.a]\nwebhook-path-env = 'A'\n", "add `listen` under [run]"),
        ("a pasted path", "[instances.a]\nwebhook-path-env = 's3cret-path'\n", "never written in this file"),
        ("a window for one démarche", "[[demarches]]\nhint-window = '1m'\n", "it belongs in [run]"),
        ("a window of no time", "[run]\nhint-window = '0s'\n", "is not a duration"),
        ("a zero duration", "[sync]\noverlap = '0s'\n", "is not a duration"),
    ] {
        match parse(text) {
            Ok(_) => panic!("{case}: accepted"),
            Err(error) => assert!(error.to_string().contains(expected), "{case}: {error}"),
        }
    }
}

#[test]
fn paths_start_from_the_folder_of_the_file() {
    let text = "[instances.a]\ntoken-file = 'token'\n[targets.t]\ntype = 'sqlite'\npath = 'd.db'\n[targets.u]\ntype = 'sqlite'\npath = '/d.db'\n";
    let config = Config::parse(Path::new("/etc/dn/dn.toml"), text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        config.targets["t"].value,
        TargetEntry::Whole(Target::Sqlite(SqliteTarget { path: "/etc/dn/d.db".into() }))
    );
    assert_eq!(config.targets["u"].value, TargetEntry::Whole(Target::Sqlite(SqliteTarget { path: "/d.db".into() })));
    let token = config.instances["a"].token.clone().map(|token| token.value);
    assert_eq!(token, Some(SecretSource::File("/etc/dn/token".into())));
}

#[test]
fn flags_alone_are_enough() {
    let flags = Overrides { to: Some("sqlite:d.db".to_owned()), ..flags(&[12]) };
    let jobs = resolve(&Config::default(), &flags, &nothing).unwrap_or_else(|error| panic!("{error}"));
    let [job] = jobs.as_slice() else { panic!("one job is expected") };
    assert_eq!(job.instance.name, "dn");
    assert_eq!(job.instance.token.value, SecretSource::Variable("DN_TOKEN".to_owned()));
    assert_eq!(job.target.value, Target::Sqlite(SqliteTarget { path: "d.db".into() }));
    assert_eq!(job.target.origin.to_string(), "--to");
    assert_eq!(job.sync.overlap, Setting::default(Duration::from_secs(900)));
}

#[test]
fn a_flag_wins_over_the_environment_which_wins_over_the_file_which_wins_over_the_default() {
    let file = parse("[instances.dn]\nurl = 'https://file.example.org/'\npage-size = 50\n").unwrap_or_default();
    let environment = |name: &str| (name == "DN_URL").then(|| "https://environment.example.org/".to_owned());
    let flag = || Some("https://flag.example.org/".to_owned());
    let bare = Config::default();
    for (config, variables, url, host, origin) in [
        (&bare, &nothing as Variables<'_>, None, "demarche.numerique.gouv.fr", "default"),
        (&file, &nothing, None, "file.example.org", "dn.toml:2"),
        (&file, &environment, None, "environment.example.org", "$DN_URL"),
        (&file, &environment, flag(), "flag.example.org", "--url"),
    ] {
        let flags = Overrides { url, ..Overrides::default() };
        let instance = resolve_instance(config, &flags, variables).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(instance.url.value.host_str(), Some(host));
        assert_eq!(instance.url.origin.to_string(), origin);
    }
    let size = Overrides { page_size: PageSize::new(10), ..Overrides::default() };
    let instance = resolve_instance(&file, &size, &nothing).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((instance.page_size.value.get(), instance.page_size.origin.to_string().as_str()), (10, "--page-size"));
}

#[test]
fn the_token_is_where_the_file_says_else_in_the_environment() {
    let file = parse("[instances.dn]\ntoken-env = 'OTHER'\n").unwrap_or_default();
    let both = |name: &str| name.starts_with("DN_TOKEN").then(|| "x".to_owned());
    let path = |name: &str| (name == "DN_TOKEN_FILE").then(|| "/run/token".to_owned());
    let bare = Config::default();
    for (config, variables, expected, origin) in [
        (&bare, &nothing as Variables<'_>, "$DN_TOKEN", "default"),
        (&bare, &both, "$DN_TOKEN", "$DN_TOKEN"),
        (&bare, &path, "/run/token", "$DN_TOKEN_FILE"),
        (&file, &both, "$OTHER", "dn.toml:2"),
    ] {
        let instance =
            resolve_instance(config, &Overrides::default(), variables).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(instance.token.value.to_string(), expected);
        assert_eq!(instance.token.origin.to_string(), origin);
    }
}

const TWO: &str = "[instances.a]\nurl='https://a.example.org/'\ntoken-env='A'\n[instances.b]\nurl='https://b.example.org/'\ntoken-env='B'\n\
    [targets.t]\ntype='sqlite'\npath='t.db'\n\
    [[demarches]]\nnumber=1\ninstance='a'\n[[demarches]]\nnumber=1\ninstance='b'\n[[demarches]]\nnumber=2\ninstance='b'\nlisting-every='6h'\n";

#[test]
fn flags_choose_among_the_demarches_of_a_file() {
    let config = parse(TWO).unwrap_or_else(|error| panic!("{error}"));
    let chosen = |flags: Overrides| {
        let jobs = resolve(&config, &flags, &nothing).unwrap_or_else(|error| panic!("{error}"));
        jobs.iter().map(|job| format!("{}/{}", job.instance.name, job.demarche.value)).collect::<Vec<_>>().join(" ")
    };
    let on = |name: &str, demarches: &[u32]| Overrides { instance: Some(name.to_owned()), ..flags(demarches) };
    assert_eq!(chosen(flags(&[])), "a/1 b/1 b/2");
    assert_eq!(chosen(flags(&[1])), "a/1 b/1");
    assert_eq!(chosen(on("b", &[])), "b/1 b/2");
    assert_eq!(chosen(on("b", &[1])), "b/1");
    assert_eq!(chosen(on("a", &[9])), "a/9", "a démarche that the file does not list");
    let jobs = resolve(&config, &flags(&[2]), &nothing).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(jobs[0].sync.listing_every.value, Duration::from_secs(6 * 3600));
}

#[test]
fn wrong_choices_are_refused() {
    let config = parse(TWO).unwrap_or_else(|error| panic!("{error}"));
    let bare = Config::default();
    let url = |text: &str| Overrides { url: Some(text.to_owned()), to: Some("sqlite:x".to_owned()), ..flags(&[1]) };
    let to = |text: &str| Overrides { to: Some(text.to_owned()), ..flags(&[1]) };
    for (config, flags, expected) in [
        (&bare, flags(&[]), "no démarche is named"),
        (&bare, flags(&[1]), "no target is named"),
        (&bare, to("d.db"), "did you mean `sqlite:d.db`?"),
        (&bare, url("http://example.org/"), "--url: plain http to example.org"),
        (&config, url("https://c.example.org/"), "--url: one value cannot hold for several instances (a, b)"),
        (&config, flags(&[9]), "several instances"),
        (&config, Overrides { instance: Some("c".to_owned()), ..flags(&[1]) }, "--instance: no instance is called `c`"),
        (&config, Overrides { policy: Some("defaut".to_owned()), ..flags(&[1]) }, "did you mean `default`?"),
    ] {
        match resolve(config, &flags, &nothing) {
            Ok(_) => panic!("accepted: {flags:?}"),
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        }
    }
}

#[test]
fn an_instance_without_a_name_is_named_after_its_address() {
    let name = |url: &str| {
        let flags = Overrides { url: Some(url.to_owned()), ..Overrides::default() };
        resolve_instance(&Config::default(), &flags, &nothing).unwrap_or_else(|error| panic!("{error}")).name
    };
    assert_eq!(name("https://dn.example.org/api/v2/graphql"), "dn-example-org");
    assert_eq!(name("https://dn.example.org/api/v2/graphql/"), "dn-example-org");
    assert_eq!(name("https://dn.example.org:8443/api/v2/graphql"), "dn-example-org-8443");
    let others = [
        "http://127.0.0.1:3000/api/v2/graphql",
        "http://127.0.0.1:4000/api/v2/graphql",
        "http://127.0.0.1:3000/api/v2/autre",
        "http://127.0.0.1/api/v2/graphql",
        "https://127.0.0.1/api/v2/graphql",
        "https://dn.example.org/autre/api/v2/graphql",
    ];
    let names: std::collections::BTreeSet<String> = others.iter().map(|url| name(url)).collect();
    assert_eq!(names.len(), others.len(), "{names:?}");
    assert!(names.iter().all(|name| name.len() <= 24), "{names:?}");
    let (long, longer) = (
        name("https://demarches.une-collectivite.example.org/"),
        name("https://demarches.une-collectivite.example.net/"),
    );
    assert!(long.len() <= 24 && longer.len() <= 24, "{long} {longer}");
    assert_ne!(long, longer);
}

#[test]
fn the_defaults_are_those_of_the_engine() {
    assert_eq!(SyncSettings::default().settings(), crate::sync::Settings::default());
}

#[test]
fn a_policy_of_the_file_is_the_policy_of_the_filter() {
    use crate::ids::DescriptorId;
    use crate::privacy::{Preset, Treatment};
    let config = parse(EXAMPLE).unwrap_or_else(|error| panic!("{error}"));
    let jobs = resolve(&config, &flags(&[1001]), &nothing).unwrap_or_else(|error| panic!("{error}"));
    let policy = &jobs[0].policy.value;
    assert_eq!(policy.name, "service");
    assert_eq!(policy.policy.kinds.get("email"), Some(&Treatment::Pseudonymise));
    assert_eq!(policy.policy.descriptors.get(&DescriptorId::new("Q2hhbXAtMTAwMQ==")), Some(&Treatment::Exclude));
    assert_eq!(policy.key, Some(SecretSource::Variable("DN_PRIVACY_KEY".to_owned())));
    let strict = Overrides { policy: Some("strict".to_owned()), ..flags(&[1001]) };
    let jobs = resolve(&config, &strict, &nothing).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(jobs[0].policy.value.policy.preset, Preset::Strict);
    assert_eq!(jobs[0].policy.origin.to_string(), "--policy");
}

#[test]
fn terms_of_all_hold_for_each_unless_it_says_otherwise_rule_by_rule() {
    let config = parse(
        "[instances.dn]\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n\
         [sync.retention]\ndeleted = { purge = '90 days' }\nfinished.purge = '5 years'\nruns = '1 year'\n\
         [[demarches]]\nnumber = 1\n\
         [[demarches]]\nnumber = 2\nretention.deleted = {}\n\
         [[demarches]]\nnumber = 3\n[demarches.retention]\non-schedule = false\nfinished = { anonymise = '2 years' }\n",
    );
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let told = |at: usize| {
        let retention = &config.demarches[at].sync.retention;
        retention.told().into_iter().map(|(key, value, _)| format!("{key}: {value}")).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        told(0),
        "retention.deleted: purged after 90 days; retention.finished: purged after 5 years; retention.runs: 1 year; \
         retention.on-schedule: true"
    );
    assert!(told(1).starts_with("retention.deleted: kept for ever; retention.finished: purged after 5 years;"));
    assert_eq!(
        told(2),
        "retention.deleted: purged after 90 days; retention.finished: anonymised after 2 years; retention.runs: 1 year; \
         retention.on-schedule: false"
    );
    let bare = parse("[instances.dn]\n").unwrap_or_else(|error| panic!("{error}"));
    assert!(bare.sync.retention.rules().is_empty(), "nothing is ever removed unless somebody says so");
}

#[test]
fn a_demarche_may_keep_some_of_its_dossiers() {
    use crate::privacy::GroupeName;
    let file = |keys: &str| {
        parse(&format!(
            "[instances.dn]\n[targets.local]\ntype = 'sqlite'\npath = 'd.db'\n[[demarches]]\nnumber = 1\n{keys}\n"
        ))
    };
    let config = file("groupes = ['Ain', 12]\nstates = 'accepte'\ndeposited-since = '2026-07-14'");
    let config = config.unwrap_or_else(|error| panic!("{error}"));
    let jobs = resolve(&config, &flags(&[1]), &nothing).unwrap_or_else(|error| panic!("{error}"));
    let selection = jobs[0].selection.selection();
    let groupes = [GroupeName::Number(12), GroupeName::Label("Ain".to_owned())];
    assert_eq!(selection.groupes, groupes.into());
    assert_eq!(selection.states, ["accepte".to_owned()].into());
    let midnight = "2026-07-13T22:00:00Z".parse().ok();
    assert_eq!(selection.deposited_since, midnight, "a day begins by the clock of Paris");
    let told: Vec<_> = jobs[0].selection.told().into_iter().map(|(key, value, _)| format!("{key}: {value}")).collect();
    assert_eq!(told, ["groupes: 12, Ain", "states: accepte", "deposited-since: 2026-07-14"]);
    let jobs = resolve(&Config::default(), &Overrides { to: Some("sqlite:d.db".to_owned()), ..flags(&[12]) }, &nothing);
    assert!(jobs.unwrap_or_else(|error| panic!("{error}"))[0].selection.selection().is_everything());
    for (keys, expected) in [
        ("groupe = 12", "did you mean `groupes`?"),
        ("state = 'accepte'", "did you mean `states`?"),
        ("deposited_since = '2026-07-14'", "did you mean `deposited-since`?"),
        ("states = 'acepte'", "did you mean `accepte`?"),
        ("states = ['accepte', 'perdu']", "known: en_construction"),
        ("states = []", "leave the key out"),
        ("groupes = []", "leave the key out"),
        ("groupes = ''", "the name of a groupe is empty"),
        ("groupes = 0", "is not between 1 and"),
        ("groupes = [true]", "the number of a groupe, or its name"),
        ("deposited-since = 'hier'", "is not a day"),
    ] {
        let error = file(keys).expect_err(keys);
        assert!(error.to_string().contains(expected), "{keys}: {error}");
    }
}
