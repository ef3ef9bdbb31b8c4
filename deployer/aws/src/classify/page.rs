//! A web page instead of a response from AWS: a proxy, a web filter or a wrong endpoint sends it, and it says
//! nothing about AWS.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use engine::error::Class;

use super::by_status;

/// The hint for a page from any sender.
pub(super) const HINT: &str = "a proxy or web filter may have answered instead of AWS, or AWS_ENDPOINT_URL names \
                               another server: open the endpoint in a browser on this machine";

/// A web page with this HTTP status.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    status: u16,
}

impl Page {
    /// Returns the page if the response is one.
    pub(super) fn of(response: &HttpResponse) -> Option<Self> {
        let kind = response.headers().get("content-type").unwrap_or_default();
        let body = response.body().bytes().unwrap_or_default();
        let start: String = String::from_utf8_lossy(&body[..body.len().min(512)]).to_lowercase();
        let start = start.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
        if start.is_empty() {
            return None; // Responses to `HeadBucket` and similar calls have no body.
        }
        let is_page = kind.trim().to_lowercase().starts_with("text/html")
            || ["<!doctype html", "<html"].iter().any(|tag| start.starts_with(tag));
        is_page.then(|| Self { status: response.status().as_u16() })
    }

    /// Returns the class of the page as an error. A 404 page does not mean that a resource is absent, and a
    /// 403 page does not mean that AWS denied the call. AWS's load balancers send pages when they are
    /// overloaded.
    pub(super) fn class(&self) -> Class {
        by_status(Some(self.status))
    }

    /// Returns the error message for the page.
    pub(super) fn message(&self) -> String {
        format!("a web page answered instead of AWS (HTTP {})", self.status)
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn page(status: u16, kind: &'static str, body: &'static str) -> Option<Page> {
        let status = status.try_into().expect("the status is valid");
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        response.headers_mut().insert("content-type", kind);
        Page::of(&response)
    }

    #[test]
    fn page_is_recognised_by_content_or_type() {
        for (kind, body) in [
            ("application/json", "\u{feff}\n<!DOCTYPE html><title>Blocked</title>"),
            ("", "<HTML><body>Log in to the network</body></HTML>"),
            ("text/html; charset=utf-8", "Blocked"),
        ] {
            assert_eq!(page(200, kind, body), Some(Page { status: 200 }), "{kind}: {body}");
        }
        for (kind, body) in [
            ("text/xml", "<ErrorResponse><Error/></ErrorResponse>"),
            ("application/x-amz-json-1.1", r#"{"message": "<html>"}"#),
            ("text/html", ""),
        ] {
            assert_eq!(page(404, kind, body), None, "{kind}: {body}");
        }
    }

    #[test]
    fn page_says_nothing_about_resources_or_permissions() {
        let class = |status| page(status, "text/html", "x").map(|page| page.class());
        for status in [200, 302, 403, 404, 407] {
            assert_eq!(class(status), Some(Class::Other), "{status}");
        }
        assert_eq!(class(503), Some(Class::Throttled));
    }
}
