//! Runs every operation of the client on both worlds.

use super::*;
use crate::world::State;

#[test]
fn every_query_of_the_client_is_answered_without_an_error() {
    for platform in Platform::ALL {
        let spec = WorldSpec::new(platform).dossiers(30).only(&[DEMARCHE_COMPLETE]);
        let sandbox = Sandbox::new(&WorldSpec { unknown_kinds: true, ..spec });
        let open = sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.into_values();
        let open: Vec<u32> = open.filter(|dossier| dossier.state == State::EnConstruction).map(|d| d.number).collect();
        sandbox.world().delete_by_user(open[0]).expect("it is open");
        sandbox.live(DEMARCHE_COMPLETE, 100, 5);
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../graphql").join(platform.to_string());
        let number = *sandbox.snapshot(DEMARCHE_COMPLETE).dossiers.keys().next().expect("a dossier");
        for entry in std::fs::read_dir(folder).expect("the folder exists") {
            let path = entry.expect("readable").path();
            if path.is_dir() || path.ends_with("schema.graphql") || path.ends_with("mutations.graphql") {
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("readable");
            let names = text.lines().filter_map(|line| line.strip_prefix("query "));
            for name in names.map(|rest| rest.split(['(', ' ']).next().expect("a name")) {
                let root = match name {
                    "ReadDossier" | "ReadDemarcheOfDossier" => number,
                    name if name.contains("Groupe") => DEMARCHE_COMPLETE * 10 + 1,
                    _ => DEMARCHE_COMPLETE,
                };
                let variables = json!({"number": root, "first": 100, "demarche": {"number": root}});
                let body = json!({"query": text, "operationName": name, "variables": variables});
                let (status, answer) = raw(&sandbox, Some(&sandbox.token()), &body);
                assert_eq!((status, answer.get("errors")), (200, None), "{platform} {name}");
            }
        }
        assert_eq!(sandbox.violations(), [] as [&str; 0], "{platform}");
    }
}
