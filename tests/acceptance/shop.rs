//! A second aggregate beside the cart, with a table of its own: the system in `tests/shop`.

mod indexes;

use acceptance::{Cloud, Deployed, Place, until};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Test, policy};

pub(crate) const TESTS: &[Test] =
    &[("second_aggregate_goes_its_whole_way", second_aggregate_goes_its_whole_way)];

/// The id of a cart, and also of a wishlist.
const SHARED: Uuid = Uuid::from_u128(1);
/// The id of another wishlist.
const ANNAS: Uuid = Uuid::from_u128(2);

/// Carts and wishlists are stored, published, archived and handled side by side; every command on events knows
/// both. The printed policy is enough to deploy and to destroy the system.
fn second_aggregate_goes_its_whole_way(cloud: &Cloud) {
    let binary = cloud.build_deployer("shop-deployer").expect("the shop's deployer can be built");
    let place = cloud.place().of_system("shop", binary);
    let prices = prices(&place);
    let user = policy::user(&place, &policy::policy(&place, &["policy", "local"]));
    policy::succeeds(&user, &["up", "local"]);
    let up = Deployed::of(&place);
    place.invoke("local", "open-cart", &json!({ "cart_id": SHARED }));
    for (wishlist, item, cents) in [(SHARED, "tea", 900), (ANNAS, "tea", 500), (ANNAS, "cup", 700)] {
        let wish = json!({"wishlist_id": wishlist, "item": item, "at_most_cents": cents});
        assert!(place.invoke("local", "make-wish", &wish)["version"].is_u64(), "{wish}");
    }
    let annas = place.invoke("local", "get-wishlist", &json!({ "wishlist_id": ANNAS }));
    assert_eq!(annas["wishes"], json!({"cup": 700, "tea": 500}));
    until("all wishes to be listed", || (wishes(&place).len() == 3).then_some(()));
    let tea = place.invoke("local", "find-wishes", &json!({"item": "tea"}));
    assert_eq!(tea["price_cents"], 400, "the price is in a table outside the stack: {tea:#}");

    shows_the_events_of_each(&place);
    replays_only_wishlists(&place, &up);
    let probe = place.deploys(&["probe", "local", "--format", "json"]).json();
    assert_eq!(probe["arrived"], true, "{probe:#}");
    let audit = until("all events to be archived", || {
        let audit = place.deployer(&["audit", "local", "--grace", "0s", "--format", "json"]);
        (audit.code == Some(0)).then(|| audit.json())
    });
    assert_eq!(audit["report"]["archive"]["events"], 5, "four events and a probe: {audit:#}");
    place.deploys(&["drift", "local"]);
    indexes::are_repaired(&place, &up);
    assert_eq!(wishes(&place).len(), 3, "the index is built from the rows");
    policy::succeeds(&user, &["down", "local", "--yes"]);
    let kept = up.wait(up.aws.dynamodb.describe_table().table_name(&prices).send());
    kept.expect("a table outside the stack is kept");
}

/// Sets up a table of prices outside the stack, and returns its name. A mistake in the settings of
/// the shop, or a table that does not exist, ends `up` before it changes anything.
fn prices(place: &Place<'_>) -> String {
    let mistyped = "[local]\nport = 4566\n[app]\nprice_table = \"arn:aws:sqs:us-east-1:1:prices\"\nkeep_wishes_days = 0\n";
    place.environment("local", mistyped);
    let run = place.deployer(&["up", "local"]);
    assert_eq!(run.code, Some(64), "{run:#?}");
    for said in ["did you mean `prices_table`?", "`prices_table` is missing", "local.toml:", "^^^"] {
        assert!(run.stderr.contains(said), "{said}: {run:#?}");
    }
    let arn = format!("arn:aws:dynamodb:us-east-1:{}:table/prices", place.account);
    let settings = format!("[local]\nport = 4566\n[app]\nprices_table = \"{arn}\"\nkeep_wishes_days = 30\n");
    place.environment("local", &settings);
    let run = place.deployer(&["up", "local"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.stderr.contains(&arn) && run.stderr.contains("cannot be found"), "{run:#?}");

    let aws = place.aws("local");
    place.cloud.wait(async {
        const SET: &str = "all required fields are set";
        let attribute = AttributeDefinition::builder().attribute_name("Item");
        let attribute = attribute.attribute_type(ScalarAttributeType::S).build().expect(SET);
        let key = KeySchemaElement::builder().attribute_name("Item").key_type(KeyType::Hash).build();
        let create = aws.dynamodb.create_table().table_name("prices").attribute_definitions(attribute);
        let create = create.key_schema(key.expect(SET)).billing_mode(BillingMode::PayPerRequest);
        create.send().await.expect("the account is empty");
        let put = aws.dynamodb.put_item().table_name("prices").item("Item", AttributeValue::S("tea".into()));
        put.item("Cents", AttributeValue::N("400".into())).send().await.expect("the table exists");
    });
    "prices".to_owned()
}

/// A UUID needs its type only if aggregates of several types have it. The state is that of its type.
fn shows_the_events_of_each(place: &Place<'_>) {
    let events = |aggregate: &str, more: &[&str]| {
        place.deployer(&[&["events", "local", aggregate, "--format", "json"], more].concat())
    };
    let annas = events(&ANNAS.to_string(), &[]).json();
    assert_eq!(annas["aggregate"], format!("wishlist#{ANNAS}"));
    let shared = events(&SHARED.to_string(), &[]);
    assert_eq!(shared.code, Some(64), "{shared:#?}");
    assert!(shared.stderr.contains(&format!("'cart#{SHARED}', 'wishlist#{SHARED}'")), "{shared:#?}");
    let first = events(&format!("wishlist#{ANNAS}"), &["--at", "1"]).json();
    assert_eq!(first["state"]["wishes"], json!({"tea": 500}), "{first:#}");
    let cart = events(&format!("cart#{SHARED}"), &["--at", "1"]).json();
    assert_eq!(cart["state"]["status"], "open", "{cart:#}");
}

/// A replay to one handler reads all events, and delivers those of one type: rows that were lost come back.
fn replays_only_wishlists(place: &Place<'_>, up: &Deployed<'_>) {
    let table = up.aws.scope.name("wishes");
    up.wait(async {
        let rows = up.aws.dynamodb.scan().table_name(&table).send().await.expect("the table exists");
        for row in rows.items() {
            let key = ["Wishlist", "Item"].map(|name| (name.to_owned(), row[name].clone()));
            let delete = up.aws.dynamodb.delete_item().table_name(&table).set_key(Some(key.into()));
            delete.send().await.expect("the row was listed");
        }
    });
    assert!(wishes(place).is_empty());
    let only = ["--from", "table", "--aggregate-type", "wishlist", "--yes", "--format", "json"];
    let replay = place.deploys(&[&["replay", "local", "list-wishes"], &only[..]].concat()).json();
    let counts = &replay["replay"]["counts"];
    assert_eq!((&counts["read"], &counts["delivered"]), (&json!(4), &json!(3)), "{replay:#}");
    assert_eq!(wishes(place).len(), 3, "the projection is as before");
    let mistyped =
        place.deployer(&["replay", "local", "list-wishes", "--aggregate-type", "wishlst", "--yes"]);
    assert_eq!(mistyped.code, Some(64), "{mistyped:#?}");
    assert!(mistyped.stderr.contains("did you mean `wishlist`?"), "{mistyped:#?}");
}

/// Returns all wishes for tea and cups, from the table that the projection keeps.
fn wishes(place: &Place<'_>) -> Vec<Value> {
    let of = |item: &str| place.invoke("local", "find-wishes", &json!({ "item": item }))["wishes"].clone();
    ["tea", "cup"].into_iter().flat_map(|item| of(item).as_array().cloned().unwrap_or_default()).collect()
}
