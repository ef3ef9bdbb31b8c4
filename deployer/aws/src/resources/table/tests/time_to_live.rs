//! The time to live of items: its effects, and its order among changes.

use super::*;

#[tokio::test(start_paused = true)]
async fn time_to_live_is_set_before_backups() {
    let script = bare(described(Script::new(), "ACTIVE"));
    let script = script.on("UpdateContinuousBackups", body("{}")).on("UpdateTimeToLive", body("{}"));
    let live = live(&script).await;
    let table = table().point_in_time_recovery(Some(35)).time_to_live("ExpiresAt");
    update(&table, &live, &script.aws()).await.expect("both settings are set");
    assert_eq!(script.writes(), ["UpdateTimeToLive", "UpdateContinuousBackups"]);
}

#[tokio::test(start_paused = true)]
async fn time_to_live_changed_twice_has_a_hint() {
    let said = "Time to live has been modified multiple times within a fixed interval";
    let script = bare(described(Script::new(), "ACTIVE"));
    let script = script.on("UpdateTimeToLive", fault(400, "ValidationException", said));
    let live = live(&script).await;
    let error = update(&table().time_to_live("ExpiresAt"), &live, &script.aws()).await;
    let hint = error.expect_err("AWS rejects the change").hint.expect("the error has a hint");
    assert!(hint.contains("an hour between two changes"), "{hint}");
}

/// Items whose time has passed are deleted from then on.
#[test]
fn time_to_live_set_loses_data_and_cannot_be_renamed() {
    let expiring = |attribute| table().time_to_live(attribute);
    let effect = |live: &Table, desired: &Table| desired.effect(TableFieldName::TimeToLive, live);
    assert_eq!(effect(&table(), &expiring("ExpiresAt")), Effect::InPlace(Risk::LosesData));
    assert_eq!(effect(&expiring("ExpiresAt"), &table()), Effect::InPlace(Risk::Safe));
    assert!(matches!(effect(&expiring("ExpiresAt"), &expiring("Until")), Effect::Refuse(_)));
}

/// Turning it off also needs the name of the attribute ("UpdateTimeToLive", DynamoDB API reference).
#[tokio::test(start_paused = true)]
async fn time_to_live_by_hand_is_turned_off() {
    let by_hand = json!({"TimeToLiveStatus": "ENABLED", "AttributeName": "ByHand"});
    let script = described(Script::new(), "ACTIVE")
        .on("DescribeTimeToLive", body(json!({"TimeToLiveDescription": by_hand})))
        .on("UpdateTimeToLive", body("{}"));
    let script = bare(script);
    let live = live(&script).await;
    assert_eq!(live.time_to_live.as_deref(), Some("ByHand"));
    update(&table(), &live, &script.aws()).await.expect("it is turned off");
    assert_eq!(
        script.sent("UpdateTimeToLive")[0]["TimeToLiveSpecification"],
        json!({"AttributeName": "ByHand", "Enabled": false})
    );
}
