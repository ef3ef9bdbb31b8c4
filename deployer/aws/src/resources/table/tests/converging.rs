//! Global indexes become as desired from any state, also if runs are killed.

use proptest::prelude::*;

use super::live_table::LiveTable;
use super::*;

/// The definitions of one index: any two need a deletion between them.
fn keys(of: KeyType) -> [(PrimaryKey, Projection); 3] {
    let owner = || PrimaryKey::hash("Owner", of);
    [
        (owner(), Projection::All),
        (owner().range("Size", KeyType::Number), Projection::KeysOnly),
        (PrimaryKey::hash("At", KeyType::Number), Projection::including(["Title"])),
    ]
}

fn with_indexes(of: KeyType, definitions: &[Option<usize>; 3], billing: Billing) -> Table {
    let named = ["one", "two", "three"].into_iter().zip(definitions);
    let named = named.filter_map(|(name, definition)| Some((name, (*definition)?)));
    named.fold(table().billing(billing), |table, (name, definition)| {
        let (key, projection) = keys(of)[definition].clone();
        table.global_index(name, key, projection)
    })
}

fn owner_type() -> impl Strategy<Value = KeyType> {
    prop_oneof![Just(KeyType::String), Just(KeyType::Number), Just(KeyType::Binary)]
}

fn definitions() -> impl Strategy<Value = [Option<usize>; 3]> {
    proptest::array::uniform3(proptest::option::of(0..3_usize))
}

fn any_billing() -> impl Strategy<Value = Billing> {
    prop_oneof![
        Just(Billing::on_demand()),
        Just(Billing::OnDemand { max_read_units: Some(5), max_write_units: None }),
        Just(Billing::Provisioned { read_units: 1, write_units: 1 }),
        Just(Billing::Provisioned { read_units: 5, write_units: 1 }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The run is killed at any call, and another run continues what it left.
    #[test]
    fn indexes_converge_from_any_state_and_after_any_interruption(
        (from, to) in ((owner_type(), definitions(), any_billing()), (owner_type(), definitions(), any_billing())),
        killed in 0..40_u32,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime starts");
        runtime.block_on(async {
            let live_table = LiveTable::with(json!({}));
            let script = live_table.script();
            for (of, definitions, billing) in [&from, &to] {
                let desired = with_indexes(*of, definitions, billing.clone());
                live_table.end_after(Some(killed));
                if let Ok(Some(live)) = desired.read(&script.aws()).await {
                    let _ = update(&desired, &live.resource, &script.aws()).await;
                }
                live_table.end_after(None);
                let live = live(&script).await;
                update(&desired, &live, &script.aws()).await.expect("the second run succeeds");
                desired.ready(&script.aws()).await.expect("the table is ready");
                let live = super::live(&script).await;
                let state = |table: &Table| serde_json::to_value(table).expect("a table is JSON");
                assert_eq!(state(&live), state(&desired));
            }
        });
    }
}
