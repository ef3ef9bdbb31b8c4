//! What somebody sees whose decision went another way.

use std::panic::catch_unwind;

use domain::{
    cart::{CartCommand, CartError, CartEvent, ShoppingCart},
    testing::given,
};

fn failure(test: impl FnOnce() + std::panic::UnwindSafe) -> String {
    *catch_unwind(test).unwrap_err().downcast().unwrap()
}

#[test]
fn a_failure_tells_the_whole_story() {
    let tea = || CartEvent::ItemAdded { item: "tea".to_owned(), quantity: 1 };
    let message = failure(move || {
        given::<ShoppingCart>([CartEvent::CartOpened {}, tea()])
            .when(&CartCommand::Close)
            .then([tea(), CartEvent::CartClosed {}]);
    });
    assert_eq!(
        message,
        r#"a decision of cart went another way

   given CartOpened
         ItemAdded { item: "tea", quantity: 1 }
    when Close
    then ItemAdded { item: "tea", quantity: 1 }
         CartClosed
     but CartClosed
"#
    );
}

#[test]
fn a_failure_tells_why_a_command_was_refused() {
    let message = failure(|| {
        given::<ShoppingCart>([]).when(&CartCommand::Close).then_refused(&CartError::CartClosed);
    });
    assert_eq!(
        message,
        "a decision of cart went another way

   given nothing
    when Close
    then refused: CartClosed
     but refused: CartNotFound
"
    );
}
