//! The message of a failed expectation.

use std::panic::catch_unwind;

use eventsourcing::{
    testing::given,
    testing::tally::{Tally, TallyCommand, TallyError, TallyEvent},
};

fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    *catch_unwind(test).unwrap_err().downcast().unwrap()
}

#[test]
fn kit_failure_shows_given_when_and_then() {
    let tea = || TallyEvent::Counted { what: "tea".to_owned(), times: 1 };
    let message = failure(move || {
        given::<Tally>([TallyEvent::TallyOpened {}, tea()])
            .when(&TallyCommand::Close)
            .then([tea(), TallyEvent::TallyClosed {}]);
    });
    assert_eq!(
        message,
        r#"a decision of tally is not as expected

   given TallyOpened
         Counted { what: "tea", times: 1 }
    when Close
    then Counted { what: "tea", times: 1 }
         TallyClosed
     but TallyClosed
"#
    );
}

#[test]
fn kit_failure_shows_why_a_command_was_refused() {
    let message = failure(|| {
        given::<Tally>([]).when(&TallyCommand::Close).then_refused(&TallyError::Closed);
    });
    assert_eq!(
        message,
        "a decision of tally is not as expected

   given nothing
    when Close
    then refused: Closed
     but refused: NotOpened
"
    );
}
