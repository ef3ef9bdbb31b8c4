//! Finds the first number of a value that canonical JSON cannot represent exactly.
//!
//! RFC 8785 writes each number as an IEEE 754 double, so integers beyond 2^53 would be rounded. `serde_json`
//! writes `null` for NaN and infinities. Neither reports an error, so the value itself is checked: the text
//! no longer shows the difference.

use std::fmt;

use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use thiserror::Error;

/// The largest magnitude up to which a double holds each integer.
const MAX_INTEGER: u128 = 1 << 53;

/// A number that JSON cannot represent exactly. The error names the place and type of the number but not its
/// value, because errors are logged and the value may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{place} ({kind}) {problem}")]
pub struct InexactNumber {
    place: String,
    kind: &'static str,
    problem: Problem,
}

/// Why JSON cannot represent a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
enum Problem {
    #[error("is beyond 2^53, so a JSON number would round it; store numbers beyond 2^53 as strings")]
    TooLarge,
    #[error("is NaN or infinite, which JSON cannot express; store a finite number, a string or nothing")]
    NotFinite,
}

/// Returns an error for the first number in the value that JSON cannot represent exactly.
pub(crate) fn check(value: &(impl Serialize + ?Sized)) -> Result<(), InexactNumber> {
    match value.serialize(Numbers { path: Path::Root }) {
        Err(Stop::Inexact(number)) => Err(number),
        // A value that cannot be serialised fails again when it is written, with a better message.
        Ok(()) | Err(Stop::Unserialisable) => Ok(()),
    }
}

/// Why the check of a value ended early.
#[derive(Debug, Error)]
enum Stop {
    #[error(transparent)]
    Inexact(#[from] InexactNumber),
    #[error("the value cannot be serialised")]
    Unserialisable,
}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Unserialisable
    }
}

/// The path of a value inside the checked value.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => write!(f, "{name}"),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

/// A serializer that writes nothing and checks each number.
#[derive(Clone, Copy)]
struct Numbers<'a> {
    path: Path<'a>,
}

impl Numbers<'_> {
    fn check_integer(self, kind: &'static str, magnitude: u128) -> Result<(), Stop> {
        if magnitude <= MAX_INTEGER { Ok(()) } else { self.stop(kind, Problem::TooLarge) }
    }

    fn check_float(self, kind: &'static str, is_finite: bool) -> Result<(), Stop> {
        if is_finite { Ok(()) } else { self.stop(kind, Problem::NotFinite) }
    }

    fn stop(self, kind: &'static str, problem: Problem) -> Result<(), Stop> {
        let place = match self.path {
            Path::Root => "the value".to_owned(),
            path => format!("field `{path}`"),
        };
        Err(InexactNumber { place, kind, problem }.into())
    }

    fn variant_path<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path::Field(&self.path, name)
    }
}

/// Accepts values that are not numbers, and numbers that are always exact.
macro_rules! accept {
    ($($method:ident($type:ty))*) => {$(
        fn $method(self, _: $type) -> Result<(), Stop> {
            Ok(())
        }
    )*};
}

impl<'a> Serializer for Numbers<'a> {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Members<'a>;
    type SerializeTupleVariant = Members<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    accept! {
        serialize_bool(bool)
        serialize_i8(i8)
        serialize_i16(i16)
        serialize_i32(i32)
        serialize_u8(u8)
        serialize_u16(u16)
        serialize_u32(u32)
        serialize_char(char)
        serialize_str(&str)
        serialize_bytes(&[u8])
        serialize_unit_struct(&'static str)
    }

    fn serialize_i64(self, number: i64) -> Result<(), Stop> {
        self.check_integer("i64", number.unsigned_abs().into())
    }

    fn serialize_i128(self, number: i128) -> Result<(), Stop> {
        self.check_integer("i128", number.unsigned_abs())
    }

    fn serialize_u64(self, number: u64) -> Result<(), Stop> {
        self.check_integer("u64", number.into())
    }

    fn serialize_u128(self, number: u128) -> Result<(), Stop> {
        self.check_integer("u128", number)
    }

    fn serialize_f32(self, number: f32) -> Result<(), Stop> {
        self.check_float("f32", number.is_finite())
    }

    fn serialize_f64(self, number: f64) -> Result<(), Stop> {
        self.check_float("f64", number.is_finite())
    }

    fn serialize_none(self) -> Result<(), Stop> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Stop> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Result<(), Stop> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Stop> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Stop> {
        value.serialize(Numbers { path: self.variant_path(variant) })
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, None))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>, Stop> {
        Ok(Members::of(self, Some(variant)))
    }
}

/// The members of a list, map, struct or enum variant.
struct Members<'a> {
    within: Numbers<'a>,
    variant: Option<&'static str>,
    index: usize,
    key: String,
}

impl<'a> Members<'a> {
    fn of(within: Numbers<'a>, variant: Option<&'static str>) -> Self {
        Self { within, variant, index: 0, key: String::new() }
    }

    /// Checks the value of one member; a member without a name is the next item of a list.
    fn member<T: Serialize + ?Sized>(&mut self, name: Option<&str>, value: &T) -> Result<(), Stop> {
        let variant = self.variant.map(|variant| self.within.variant_path(variant));
        let within = variant.as_ref().unwrap_or(&self.within.path);
        let path = name.map_or(Path::Index(within, self.index), |name| Path::Field(within, name));
        self.index += 1;
        value.serialize(Numbers { path })
    }
}

/// Implements a trait for members without names.
macro_rules! unnamed {
    ($($kind:ident::$method:ident)*) => {$(
        impl $kind for Members<'_> {
            type Ok = ();
            type Error = Stop;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
                self.member(None, value)
            }

            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        }
    )*};
}

/// Implements a trait for members with names from their type.
macro_rules! named {
    ($($kind:ident)*) => {$(
        impl $kind for Members<'_> {
            type Ok = ();
            type Error = Stop;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Stop> {
                self.member(Some(name), value)
            }

            fn end(self) -> Result<(), Stop> {
                Ok(())
            }
        }
    )*};
}

unnamed! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

named! {
    SerializeStruct
    SerializeStructVariant
}

impl SerializeMap for Members<'_> {
    type Ok = ();
    type Error = Stop;

    /// A key becomes a string, so each number in it is exact. It is stored for the path.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Stop> {
        let key = serde_json::to_string(key).map_err(|_| Stop::Unserialisable)?;
        let text = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
        self.key = text.unwrap_or(&key).to_owned();
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Stop> {
        let key = std::mem::take(&mut self.key);
        self.member(Some(&key), value)
    }

    fn end(self) -> Result<(), Stop> {
        Ok(())
    }
}
