//! Endpoints that the caller chose, in variables or in the AWS configuration files. They are
//! checked before the first call: the SDK would fail every call, and quote the whole request with
//! its payload.

use std::ffi::OsString;

use thiserror::Error;

/// The variable with the endpoint of all services; `_<SERVICE>` behind it makes it that of one.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// The variable that has the SDK ignore all of these.
const IGNORED_BY: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// An endpoint that no call can be sent to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{setting} is `{value}`, which {why}")]
pub struct WrongEndpoint {
    setting: String,
    value: String,
    why: &'static str,
}

/// Returns the endpoint of all services that the caller's variable names: it is used as it is.
pub fn own_endpoint() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|endpoint| !endpoint.is_empty())
}

impl WrongEndpoint {
    /// Returns the first variable that has an endpoint no call can be sent to.
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

    /// Returns what is wrong with the endpoint that a setting has, if anything is.
    pub(super) fn of(setting: &str, value: &str) -> Option<Self> {
        let (setting, value) = (setting.to_owned(), value.to_owned());
        wrong(&value).map(|why| Self { setting, value, why })
    }

    /// Returns what to write instead.
    pub fn hint(&self) -> String {
        let rest = self.value.split_once("://").map_or(self.value.as_str(), |(_, rest)| rest);
        let rest: String = rest.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
        let host = if rest.is_empty() { "localhost:4566".to_owned() } else { rest };
        let here = ["localhost", "127.", "[::1]"].iter().any(|start| host.starts_with(start));
        let scheme = if here { "http" } else { "https" };
        format!("set {} to {scheme}://{host}, or unset it to call AWS", self.setting)
    }
}

/// Tells whether a variable has an endpoint.
fn is_endpoint(name: &str) -> bool {
    name.strip_prefix(VARIABLE).is_some_and(|service| service.is_empty() || service.starts_with('_'))
}

/// Returns why no call can be sent to an endpoint.
fn wrong(endpoint: &str) -> Option<&'static str> {
    if endpoint.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some("has white space in it");
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
            (" http://localhost:4566", "has white space in it"),
            ("http://localhost:4566\n", "has white space in it"),
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
