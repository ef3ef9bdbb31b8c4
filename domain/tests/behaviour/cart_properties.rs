//! Properties of any sequence of commands to a cart.

use std::collections::BTreeMap;

use domain::cart::{CartCommand, CartEvent, CartStatus, ShoppingCart};
use eventsourcing::{
    Aggregate, Moment,
    testing::{Fixed, assert_repeats_change_nothing},
};
use proptest::{collection::vec, prelude::*};

/// Few items and few values out of range, so that commands interact.
fn command() -> impl Strategy<Value = CartCommand> {
    prop_oneof![
        2 => Just(CartCommand::Open),
        8 => ("[abc]{0,2}", -1..1001_i64).prop_map(|(item, quantity)| CartCommand::AddItem { item, quantity }),
        1 => Just(CartCommand::Close),
    ]
}

proptest! {
    /// The cart behaves like a simpler model of the same rules.
    #[test]
    fn cart_state_matches_a_simple_model(commands in vec(command(), 0..60)) {
        let (mut cart, surroundings) = (ShoppingCart::default(), Fixed::default());
        let mut status = None;
        let mut totals = BTreeMap::<String, u64>::new();
        for command in commands {
            let before = cart.clone();
            let decided = cart.decide(&command, &Moment::of(&surroundings));
            prop_assert_eq!(&cart, &before, "deciding changes nothing");
            let allowed = match &command {
                CartCommand::Open => status != Some(CartStatus::Closed),
                CartCommand::Close => status.is_some(),
                CartCommand::AddItem { item, quantity } =>
                    status == Some(CartStatus::Open) && !item.is_empty() && (1..=999).contains(quantity),
            };
            prop_assert_eq!(decided.is_ok(), allowed, "{:?}", command);
            for event in decided.into_iter().flatten() {
                cart.apply(&event);
                match event {
                    CartEvent::CartOpened {} => status = Some(CartStatus::Open),
                    CartEvent::ItemAdded { item, quantity } =>
                        *totals.entry(item).or_default() += u64::from(quantity),
                    CartEvent::CartClosed { .. } => status = Some(CartStatus::Closed),
                }
            }
            let lines = cart.lines().iter().map(|line| (line.item.clone(), line.quantity));
            prop_assert_eq!(lines.collect::<BTreeMap<_, _>>(), totals.clone());
            prop_assert_eq!(cart.status(), status);
        }
    }

    /// A repeated command adds no event and gets the same answer, even after later commands.
    #[test]
    fn repeated_cart_command_changes_nothing(commands in vec(command(), 1..40)) {
        assert_repeats_change_nothing::<ShoppingCart>(commands);
    }
}
