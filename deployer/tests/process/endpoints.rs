//! Endpoints that are wrong.

use crate::place::{Place, said};

const PAYLOAD: &str = r#"{"item":"secret-thing"}"#;

#[test]
fn endpoint_without_scheme_is_refused_without_the_payload() {
    let place = Place::new();
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA"] {
        let mut command = place.command(&["invoke", "dev", "add-item", "--payload", PAYLOAD]);
        let output = command.env(name, "localhost:4610").output().expect("it was just built");
        let expected = format!(
            "error: {name} is `localhost:4610`, which has no http:// or https://\n\
             hint: set {name} to http://localhost:4610, or unset it to call AWS\n"
        );
        assert_eq!(said(&output), (Some(64), expected));
    }
}

#[test]
fn endpoint_without_scheme_in_the_profile_is_refused() {
    let place = Place::new();
    place.write("aws-config", "[default]\nendpoint_url = localhost:4610\n");
    let output = place.command(&["invoke", "dev", "add-item", "--payload", PAYLOAD]).output();
    let expected = "error: `endpoint_url` of the AWS configuration file is `localhost:4610`, which has no http:// or \
                    https://\nhint: set `endpoint_url` of the AWS configuration file to http://localhost:4610, or \
                    unset it to call AWS\n";
    assert_eq!(said(&output.expect("it was just built")), (Some(64), expected.to_owned()));
}
