//! Acceptance tests: a module for each behaviour, and a separate account for each test.

mod auditing;
mod bundle;
mod calls;
mod commands;
mod deploying;
mod drift;
mod event_store;
mod faulty;
mod function_url;
mod github;
mod killed;
mod least_privilege;
mod local_cloud;
mod meeting;
mod operator;
mod organisation;
mod owning;
mod pipeline;
mod poison;
mod policy;
mod probing;
mod racing;
mod replaying;
mod restoring;
mod second_emulator;
mod shop;
mod side_by_side;
mod signals;
mod storm;
mod story;
mod template;
mod unmanaged;
mod upgrading;

use std::process::ExitCode;
use std::sync::Arc;

use acceptance::Cloud;
use libtest_mimic::{Arguments, Trial};

/// A test: its name and its function.
type Test = (&'static str, fn(&Cloud));

#[expect(clippy::print_stderr, reason = "a test harness reports on standard error")]
fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let tests: Vec<Test> = [
        auditing::TESTS,
        bundle::TESTS,
        calls::TESTS,
        commands::TESTS,
        deploying::TESTS,
        drift::TESTS,
        event_store::TESTS,
        faulty::TESTS,
        function_url::TESTS,
        unmanaged::TESTS,
        github::TESTS,
        killed::TESTS,
        least_privilege::TESTS,
        local_cloud::TESTS,
        meeting::TESTS,
        organisation::TESTS,
        owning::TESTS,
        pipeline::TESTS,
        poison::TESTS,
        policy::TESTS,
        probing::TESTS,
        racing::TESTS,
        replaying::TESTS,
        restoring::TESTS,
        second_emulator::TESTS,
        side_by_side::TESTS,
        shop::TESTS,
        signals::TESTS,
        storm::TESTS,
        story::TESTS,
        template::TESTS,
        upgrading::TESTS,
    ]
    .concat();
    if arguments.list {
        return libtest_mimic::run(&arguments, trials(&tests, None)).exit_code();
    }
    let cloud = match Cloud::start() {
        Ok(cloud) => Arc::new(cloud),
        Err(error) => {
            eprintln!("cannot start a cloud for the tests: {error}");
            return ExitCode::FAILURE;
        }
    };
    let conclusion = libtest_mimic::run(&arguments, trials(&tests, Some(&cloud)));
    let cloud = Arc::into_inner(cloud).expect("no test outlives the run");
    if let Err(error) = cloud.stop() {
        eprintln!("cannot stop the cloud of the tests: {error}");
        return ExitCode::FAILURE;
    }
    conclusion.exit_code()
}

fn trials(tests: &[Test], cloud: Option<&Arc<Cloud>>) -> Vec<Trial> {
    let trials = tests.iter().map(|(name, test)| {
        let (test, cloud) = (*test, cloud.cloned());
        Trial::test(*name, move || {
            let cloud = cloud.expect("a listing runs no test");
            test(&cloud);
            Ok(())
        })
    });
    trials.collect()
}
