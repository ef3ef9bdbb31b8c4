//! Values in Rust's Debug form in error messages, such as `Request { body: SdkBody …`. The SDK puts whole
//! requests with their payloads there, and CI systems keep error messages.

use std::borrow::Cow;

/// Returns a text up to the first value in Debug form, with `…` for the rest: the end of a nested value
/// cannot be found without its type.
pub(super) fn left_out(text: &str) -> Cow<'_, str> {
    let Some(at) = start_of_value(text) else { return Cow::Borrowed(text) };
    let before = text[..at].trim_end_matches(['`', '"', '(', ' ']);
    Cow::Owned(format!("{before} …").trim_start().to_owned())
}

/// Returns where the first value in Debug form begins: the name of a type or variant with fields
/// (`Name { field: `), or with values in brackets (`Some("`, `Once(Some(`).
fn start_of_value(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find(['{', '(']) {
        let at = from + found;
        let (before, after) = (&text[..at], &text[at + 1..]);
        let named = if text[at..].starts_with('{') { before.strip_suffix(' ') } else { Some(before) };
        if let Some(name) = named.map(last_word)
            && name.starts_with(|c: char| c.is_ascii_uppercase())
            && if text[at..].starts_with('{') { begins_field(after) } else { begins_value(after) }
        {
            return named.map(|named| named.len() - name.len());
        }
        from = at + 1;
    }
    None
}

/// Returns the name that a text ends with.
fn last_word(text: &str) -> &str {
    let start = text.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    &text[start.map_or(0, |at| at + 1)..]
}

/// Returns whether a text begins like the fields of a struct: ` name: `, or `..` for all of them.
fn begins_field(text: &str) -> bool {
    let text = text.trim_start();
    let name = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.starts_with("..") || (name > 0 && text[name..].starts_with(": "))
}

/// Returns whether a text begins like the values of a tuple: quoted, or another name with values.
fn begins_value(text: &str) -> bool {
    let word = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.starts_with('"')
        || text.starts_with("b\"")
        || (text.starts_with(|c: char| c.is_ascii_uppercase())
            && [")", "(", " {"].iter().any(|next| text[word..].starts_with(next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_form_is_cut_off_with_its_payload() {
        for (text, expected) in [
            (
                "failed to apply endpoint `localhost:1` to request `Request { body: SdkBody { inner: \
                 Once(Some(b\"secret\")) } }`",
                "failed to apply endpoint `localhost:1` to request …",
            ),
            (
                "error parsing XML: invalid root, expected GetCallerIdentityResponse got StartEl { name: Name { \
                 prefix: \"\", local: \"html\" } }",
                "error parsing XML: invalid root, expected GetCallerIdentityResponse got …",
            ),
            ("Request { method: \"POST\" }", "…"),
            ("the value Some(\"secret\") is wrong", "the value …"),
            ("body is Once(Some(b\"secret\"))", "body is …"),
            ("kind: Body { .. }", "kind: …"),
            ("invalid: InvalidUri(InvalidFormat)", "invalid: …"),
        ] {
            assert_eq!(left_out(text), expected);
        }
    }

    #[test]
    fn text_without_debug_form_is_kept() {
        for text in [
            "connection refused (os error 111)",
            "tcp connect error: Connection refused (os error 111)",
            "the function f(x) { return } of Lambda (Service: Lambda) failed",
            r#"unexpected {"Message": "no"}"#,
            "expected `{` at Version { \"a\": 1 }",
            "",
        ] {
            assert_eq!(left_out(text), text);
        }
    }
}
