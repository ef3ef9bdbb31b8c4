//! Custom endpoints from environment variables or the AWS configuration files. They are checked before the
//! first call: with an invalid one, every call of the SDK fails with an error that quotes the request and its
//! payload.

use std::ffi::OsString;

use thiserror::Error;

/// The variable with the endpoint of all services. With the suffix `_<SERVICE>` it applies to one service.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// The variable that makes the SDK ignore all configured endpoints.
const IGNORED_BY: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// An invalid endpoint in a setting.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{setting} is `{value}`, which {why}")]
pub struct WrongEndpoint {
    setting: String,
    value: String,
    why: &'static str,
}

/// Returns the value of `AWS_ENDPOINT_URL`, unless it is empty.
pub fn own_endpoint() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|endpoint| !endpoint.is_empty())
}

impl WrongEndpoint {
    /// Returns the error for the first variable with an invalid endpoint.
    pub fn in_variables(variables: impl Iterator<Item = (OsString, OsString)>) -> Option<Self> {
        let variables: Vec<(OsString, OsString)> = variables.collect();
        let ignored =
            variables.iter().any(|(name, value)| name == IGNORED_BY && value.eq_ignore_ascii_case("true"));
        if ignored {
            return None;
        }
        variables.into_iter().find_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| is_endpoint(name))?;
            let value = value.to_string_lossy();
            if value.is_empty() { None } else { Self::of(&name, &value) }
        })
    }

    /// Returns the error for the endpoint of a setting, if it is invalid.
    pub(super) fn of(setting: &str, value: &str) -> Option<Self> {
        let (setting, value) = (setting.to_owned(), value.to_owned());
        wrong(&value).map(|why| Self { setting, value, why })
    }

    /// Returns a hint with a valid endpoint.
    pub fn hint(&self) -> String {
        let rest = self.value.split_once("://").map_or(self.value.as_str(), |(_, rest)| rest);
        let rest: String = rest.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let host = if rest.is_empty() { "localhost:4566".to_owned() } else { rest };
        let here = ["localhost", "127.", "[::1]"].iter().any(|start| host.starts_with(start));
        let scheme = if here { "http" } else { "https" };
        format!("set {} to {scheme}://{host}, or unset it to call AWS", self.setting)
    }
}

/// Returns whether a variable holds an endpoint.
fn is_endpoint(name: &str) -> bool {
    name.strip_prefix(VARIABLE).is_some_and(|service| service.is_empty() || service.starts_with('_'))
}

/// Returns why an endpoint is invalid.
fn wrong(endpoint: &str) -> Option<&'static str> {
    if endpoint.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("contains white space");
    }
    let (scheme, rest) = endpoint.split_once("://").unwrap_or_default();
    if !["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return Some("has no http:// or https://");
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (host.is_empty() || host.starts_with(':')).then_some("has no host")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(variables: &[(&str, &str)]) -> Option<String> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        WrongEndpoint::in_variables(variables).map(|wrong| format!("{wrong}; {}", wrong.hint()))
    }

    #[test]
    fn endpoint_without_scheme_is_refused_with_a_hint() {
        assert_eq!(
            refused(&[("HOME", "/root"), ("AWS_ENDPOINT_URL", "localhost:4610")]).as_deref(),
            Some(
                "AWS_ENDPOINT_URL is `localhost:4610`, which has no http:// or https://; set \
                 AWS_ENDPOINT_URL to http://localhost:4610, or unset it to call AWS"
            )
        );
        assert_eq!(
            refused(&[("AWS_ENDPOINT_URL_S3", "ftp://s3.example.org")]).as_deref(),
            Some(
                "AWS_ENDPOINT_URL_S3 is `ftp://s3.example.org`, which has no http:// or https://; set \
                 AWS_ENDPOINT_URL_S3 to https://s3.example.org, or unset it to call AWS"
            )
        );
    }

    #[test]
    fn endpoint_without_host_or_with_spaces_is_refused() {
        for (value, why) in [
            ("http://", "has no host"),
            ("https:///path", "has no host"),
            ("http://:4566", "has no host"),
            ("http:/localhost", "has no http:// or https://"),
            (" http://localhost:4566", "contains white space"),
            ("http://localhost:4566\n", "contains white space"),
        ] {
            assert_eq!(wrong(value), Some(why), "{value:?}");
        }
    }

    #[test]
    fn endpoint_that_can_be_called_is_accepted() {
        for value in ["http://localhost:4566", "HTTPS://example.org/", "http://[::1]:4566/path"] {
            assert_eq!(wrong(value), None, "{value}");
        }
        assert_eq!(refused(&[("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URLS", "x")]), None);
    }

    #[test]
    fn endpoint_that_the_sdk_ignores_is_not_refused() {
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(refused(&[("AWS_ENDPOINT_URL", "localhost"), ignored]), None);
    }
}
