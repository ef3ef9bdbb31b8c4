//! Several environments in one account are deployed and destroyed independently, and none is destroyed or
//! changed by accident.

use aws::AwsNames;
use std::fs;
use std::thread;

use acceptance::{Cloud, Inventory, Place, differences};

use crate::Test;

pub(crate) const TESTS: &[Test] = &[
    ("environments_do_not_touch_each_other", environments_do_not_touch_each_other),
    ("regions_of_an_environment_do_not_touch_each_other", regions_of_an_environment_do_not_touch_each_other),
    ("unconfirmed_or_misdirected_run_writes_nothing", unconfirmed_or_misdirected_run_writes_nothing),
];

/// `dev`, `dev-2` (whose names start with those of `dev`) and `prod` are deployed together; changes to one
/// leave every resource of the others unchanged.
fn environments_do_not_touch_each_other(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("dev", "");
    place.environment("dev-2", "");
    place.environment("prod", "protect = true\n[functions]\nmemory_mb = 512\n");
    let environments = ["dev", "dev-2", "prod"];
    thread::scope(|scope| {
        for environment in environments {
            scope.spawn(|| place.deploys(&["up", environment, "--yes"]));
        }
    });
    let all = place.inventory();
    for environment in environments {
        let (clean, drift) = (Some(0), place.deployer(&["drift", environment]));
        assert_eq!(drift.code, clean, "{environment}: {drift:#?}");
    }
    let [dev, dev_2, prod] = environments.map(|environment| of(&place, environment, &all));
    assert_eq!((dev.len(), dev_2.len()), (prod.len(), prod.len()));
    assert_eq!(dev.len() + dev_2.len() + prod.len(), all.len());

    let refused = place.only_reads(&["down", "prod", "--yes"]);
    assert_eq!(refused.code, Some(64), "{refused:#?}");
    assert!(refused.stderr.contains("--confirm prod"), "{refused:#?}");
    let wrong = place.only_reads(&["down", "prod", "--yes", "--confirm", "dev"]);
    assert_eq!(wrong.code, Some(64), "{wrong:#?}");
    assert_eq!(differences(&all, &place.inventory()), [""; 0]);

    place.deploys(&["down", "dev", "--yes"]);
    let left: Inventory = dev_2.into_iter().chain(prod.clone()).collect();
    assert_eq!(differences(&left, &place.inventory()), [""; 0]);
    place.deploys(&["down", "dev-2", "--yes"]);
    assert_eq!(differences(&prod, &place.inventory()), [""; 0]);
    place.deploys(&["down", "prod", "--confirm", "prod"]);
    assert_eq!(differences(&Inventory::new(), &place.inventory()), [""; 0]);
}

/// The same environment is deployed in another region of the same account, in which role, bucket and
/// dashboard names are shared between regions, and is destroyed again.
fn regions_of_an_environment_do_not_touch_each_other(cloud: &Cloud) {
    let place = cloud.place();
    let there = place.of_a_colleague();
    for place in [&place, &there] {
        place.environment("dev", "");
    }
    let file = there.environments().join("dev.toml");
    let text = fs::read_to_string(&file).expect("the file exists");
    fs::write(file, text.replace("us-east-1", "eu-west-1")).expect("the file is writable");
    let clean = |place: &Place<'_>| {
        let drift = place.deployer(&["drift", "dev"]);
        assert_eq!(drift.code, Some(0), "{drift:#?}");
    };
    place.deploys(&["up", "dev", "--yes"]);
    let alone = place.inventory();
    there.deploys(&["up", "dev", "--yes"]);
    clean(&place);
    clean(&there);
    assert!(
        place.inventory().keys().any(|thing| thing.starts_with("role ") && thing.ends_with("-eu-west-1"))
    );
    there.deploys(&["down", "dev", "--yes"]);
    assert_eq!(differences(&alone, &place.inventory()), [""; 0]);
    clean(&place);
}

/// Nothing is written without a terminal and `--yes`, or with credentials of another account than the
/// environment's.
fn unconfirmed_or_misdirected_run_writes_nothing(cloud: &Cloud) {
    let place = cloud.place();
    place.environment("dev", "");
    let up = place.only_reads(&["up", "dev"]);
    assert_eq!(up.code, Some(64), "{up:#?}");
    assert!(up.stderr.contains("--yes"), "{up:#?}");

    let file = place.environments().join("dev.toml");
    let text = fs::read_to_string(&file).expect("the file exists");
    fs::write(file, text.replace(&place.account, "999999999999")).expect("the file is writable");
    for arguments in [["up", "dev", "--yes"], ["down", "dev", "--yes"]] {
        let run = place.only_reads(&arguments);
        assert_eq!(run.code, Some(1), "{run:#?}");
        for said in [place.account.as_str(), "999999999999", "AWS_PROFILE"] {
            assert!(run.stderr.contains(said), "the output lacks {said}: {}", run.stderr);
        }
    }
    assert_eq!(differences(&Inventory::new(), &place.inventory()), [""; 0]);
}

/// Returns the resources whose tags name this environment.
fn of(place: &Place<'_>, environment: &str, all: &Inventory) -> Inventory {
    let scopes = ["dev-2", "dev", "prod"].map(|name| place.scope(name));
    // The prefix of `dev` is also a prefix of `dev-2`; roles have a path.
    let owner = |name: &str| {
        let named =
            scopes.iter().filter(|scope| name.contains(&scope.prefix()) || name.contains(&scope.role_path()));
        named.max_by_key(|scope| scope.prefix().len()).map(|scope| scope.environment.as_str())
    };
    let ours = all.iter().filter(|(name, _)| owner(name) == Some(environment));
    ours.map(|(name, description)| (name.clone(), description.clone())).collect()
}
