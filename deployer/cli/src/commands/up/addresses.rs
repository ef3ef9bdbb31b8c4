//! The addresses of function URLs, which AWS chooses when it creates them: shown at the end of `up`.

use engine::resource::Resource;
use engine::retry::retried;
use futures::future::join_all;

use crate::render::Ui;
use crate::session::Session;
use aws::resources::function_url::FunctionUrl;
use aws::{AwsNames, own_endpoint};

/// Shows the address of each function URL of the stack, with a command that calls it.
pub(super) async fn show(session: &Session, ui: &Ui) {
    let endpoint = endpoint(session);
    let user = match &endpoint {
        // The root credentials of the local cloud, which are no secret.
        Some(_) if own_endpoint().is_none() => "--user test:test",
        _ => {
            r#"--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" ${AWS_SESSION_TOKEN:+-H "x-amz-security-token: $AWS_SESSION_TOKEN"}"#
        }
    };
    let region = &session.scope.region;
    let resources = session.stack.neighbours();
    let names: Vec<&str> = resources.of_kind::<FunctionUrl>().map(Resource::name).collect();
    let read = names.iter().map(|name| retried(async || FunctionUrl::address(name, &session.aws).await));
    for (name, address) in names.iter().zip(join_all(read).await) {
        match address {
            Ok(Some(address)) => {
                let address = reachable(&address, endpoint.as_deref());
                let function = session.scope.thing(name);
                ui.say(&format!(
                    "{function} answers at {address}\n  \
                     curl --aws-sigv4 aws:amz:{region}:lambda {user} --json '{{}}' {address}"
                ));
            }
            // It was deleted in the meantime.
            Ok(None) => {}
            Err(error) => ui.warn(&format!("cannot read the URL of {name}: {error}")),
        }
    }
}

/// Returns the endpoint that is called instead of AWS, if there is one.
fn endpoint(session: &Session) -> Option<String> {
    let own = own_endpoint().map(|endpoint| endpoint.to_string_lossy().into_owned());
    own.or_else(|| Some(format!("http://127.0.0.1:{}", session.environment.local.as_ref()?.port.get())))
}

/// Returns the address at which an endpoint of this machine serves a URL: the local cloud knows it by its
/// first labels, and every name below `localhost` is this machine (RFC 6761).
fn reachable(address: &str, endpoint: Option<&str>) -> String {
    let labels = address.trim_start_matches("https://").split('.').take(3).collect::<Vec<_>>().join(".");
    let port = endpoint.and_then(|endpoint| endpoint.trim_end_matches('/').rsplit_once(':'));
    match port {
        Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("http://{labels}.localhost:{port}/")
        }
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_in_the_local_cloud_is_reached_on_this_machine() {
        let address = "https://abc.lambda-url.eu-central-1.on.aws/";
        assert_eq!(reachable(address, None), address);
        let here = "http://abc.lambda-url.eu-central-1.localhost:4566/";
        assert_eq!(reachable(address, Some("http://127.0.0.1:4566")), here);
        assert_eq!(reachable(address, Some("http://localhost:4566/")), here);
        assert_eq!(reachable(address, Some("https://vpce.example.com")), address);
    }
}
