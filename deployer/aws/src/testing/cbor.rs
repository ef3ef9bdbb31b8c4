//! The encoding of CloudWatch (Smithy RPC v2 CBOR), for scripted responses.

use serde_json::Value;

/// Returns a JSON value of strings, arrays and objects as CBOR (RFC 8949).
pub(super) fn cbor(value: &Value) -> Vec<u8> {
    const TEXT: u8 = 3;
    const LIST: u8 = 4;
    const MAP: u8 = 5;
    match value {
        Value::String(text) => [head(TEXT, text.len()), text.as_bytes().to_vec()].concat(),
        Value::Array(items) => [head(LIST, items.len()), items.iter().flat_map(cbor).collect()].concat(),
        Value::Object(members) => {
            let members =
                members.iter().flat_map(|(key, value)| [cbor(&Value::from(key.as_str())), cbor(value)]);
            [head(MAP, value.as_object().map_or(0, serde_json::Map::len)), members.flatten().collect()]
                .concat()
        }
        other => panic!("{other} is not supported"),
    }
}

/// Returns the head of an item: its type and length.
fn head(kind: u8, length: usize) -> Vec<u8> {
    let kind = kind << 5;
    match length {
        0..24 => vec![kind | length as u8],
        _ => {
            [vec![kind | 26], u32::try_from(length).expect("a test is short").to_be_bytes().to_vec()].concat()
        }
    }
}
