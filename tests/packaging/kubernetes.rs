//! Checks `config/kubernetes`.

use std::path::Path;

use demarche_numerique::config::{Config, Overrides, PostgresAddress, SecretSource, Target, defaults, resolve};
use serde_json::{Value, json};

use super::container::last_stage;
use super::{understands, yaml};

/// The program in a pod, and the pod.
fn pods() -> [(&'static str, Value); 2] {
    let job = yaml("config/kubernetes/cronjob.yaml");
    let deployment = yaml("config/kubernetes/deployment.yaml");
    assert_eq!((&job["apiVersion"], &job["kind"]), (&json!("batch/v1"), &json!("CronJob")));
    assert_eq!((&deployment["apiVersion"], &deployment["kind"]), (&json!("apps/v1"), &json!("Deployment")));
    let run = deployment["spec"]["template"].clone();
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], run["metadata"]["labels"]);
    [("cronjob", job["spec"]["jobTemplate"]["spec"]["template"]["spec"].clone()), ("deployment", run["spec"].clone())]
}

fn container(pod: &Value) -> &Value {
    assert_eq!(pod["containers"].as_array().map(Vec::len), Some(1));
    &pod["containers"][0]
}

/// Finds the mount path of a volume of the pod.
fn mount<'a>(pod: &'a Value, volume: &str) -> &'a str {
    let mounts = container(pod)["volumeMounts"].as_array().expect("mounts");
    let mount =
        mounts.iter().find(|mount| mount["name"] == volume).unwrap_or_else(|| panic!("{volume} is not mounted"));
    assert_eq!(mount["readOnly"], true, "{volume}");
    assert!(pod["volumes"].as_array().expect("volumes").iter().any(|found| found["name"] == volume), "{volume}");
    mount["mountPath"].as_str().expect("a path")
}

#[test]
fn pods_ask_the_image_for_what_it_can_do() {
    for (name, pod) in pods() {
        let args = container(&pod)["args"].as_array().unwrap_or_else(|| panic!("{name} has no arguments"));
        understands(args.iter().filter_map(Value::as_str));
        assert_eq!(container(&pod)["image"], format!("dn:{}", env!("CARGO_PKG_VERSION")), "{name}");
    }
}

#[test]
fn probes_knock_at_the_door_that_the_configuration_opens() {
    let map = yaml("config/kubernetes/configmap.yaml");
    let text = map["data"]["dn.toml"].as_str().expect("a configuration");
    let config = Config::parse(Path::new("dn.toml"), text).unwrap_or_else(|error| panic!("{error}"));
    let listen = config.service.listen.expect("a door").value;
    assert!(listen.ip().is_unspecified(), "the kubelet is another machine");
    for (name, pod) in pods() {
        let asked = ["livenessProbe", "readinessProbe"].map(|probe| container(&pod)[probe]["httpGet"].clone());
        match name {
            "deployment" => {
                assert_eq!(container(&pod)["ports"], json!([{ "name": "signals", "containerPort": listen.port() }]));
                assert_eq!(asked, ["/healthz", "/readyz"].map(|path| json!({ "path": path, "port": "signals" })));
            }
            // A run that ends has no door.
            _ => assert_eq!(asked, [Value::Null, Value::Null]),
        }
    }
}

#[test]
fn pods_may_do_nothing_that_the_program_does_not_need() {
    let user = last_stage("USER").concat();
    let (account, group) = user.split_once(':').expect("an account and a group");
    let [account, group] = [account, group].map(|number| number.parse::<u32>().expect("a number"));
    for (name, pod) in pods() {
        let expected = json!({
            "runAsNonRoot": true, "runAsUser": account, "runAsGroup": group, "fsGroup": group,
            "seccompProfile": { "type": "RuntimeDefault" },
        });
        assert_eq!(pod["securityContext"], expected, "{name}");
        let expected = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] },
        });
        assert_eq!(container(&pod)["securityContext"], expected, "{name}");
        assert_eq!((&pod["automountServiceAccountToken"], &pod["enableServiceLinks"]), (&json!(false), &json!(false)));
        for path in ["/requests/cpu", "/requests/memory", "/limits/memory"] {
            assert!(container(&pod)["resources"].pointer(path).is_some_and(Value::is_string), "{name} {path}");
        }
        // A bundle of actions may take Grist two minutes.
        assert!(pod["terminationGracePeriodSeconds"].as_u64() > Some(120), "{name}");
    }
}

#[test]
fn a_run_of_the_cron_job_is_not_begun_twice_and_its_next_tick_is_the_next_attempt() {
    let job = yaml("config/kubernetes/cronjob.yaml");
    assert_eq!(job["spec"]["concurrencyPolicy"], "Forbid");
    assert_eq!(job["spec"]["jobTemplate"]["spec"]["backoffLimit"], 0);
    let (_, pod) = &pods()[0];
    assert_eq!(pod["restartPolicy"], "Never");
    // Five fields, as `schedule` of the configuration has them.
    let text = format!("[run]\nschedule = {}\n", job["spec"]["schedule"]);
    Config::parse(Path::new("dn.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn the_configuration_is_right_and_its_secrets_are_files_of_the_secret() {
    let map = yaml("config/kubernetes/configmap.yaml");
    let text = map["data"]["dn.toml"].as_str().expect("a configuration");
    for (name, pod) in pods() {
        let path = format!("{}/dn.toml", mount(&pod, "config"));
        let env = container(&pod)["env"].as_array().expect("variables");
        assert_eq!(env, &[json!({ "name": defaults::CONFIG_ENV, "value": path })], "{name}");
        let volumes = pod["volumes"].as_array().expect("volumes");
        let of = |name: &str| volumes.iter().find(|volume| volume["name"] == name).expect("it is mounted");
        assert_eq!(of("config")["configMap"]["name"], map["metadata"]["name"], "{name}");
        // Readable by the group of the program, and by nobody else.
        assert_eq!(of("secrets")["secret"]["defaultMode"], 0o440, "{name}");

        let config = Config::parse(Path::new(&path), text).unwrap_or_else(|error| panic!("{error}"));
        let jobs = resolve(&config, &Overrides::default(), &|_| None).unwrap_or_else(|error| panic!("{error}"));
        let secret = |file: &str| SecretSource::File(Path::new(mount(&pod, "secrets")).join(file));
        for job in jobs {
            assert_eq!(job.instance.token.value, secret("token"), "{name}");
            let Target::Postgres(target) = job.target.value else { panic!("a target of several replicas") };
            assert_eq!(target.address, PostgresAddress::Source(secret("database-url")), "{name}");
        }
    }
}
