//! A field of a request body before it is checked. Reading it never fails, so that all broken fields of a body can be
//! reported at once. Give the container `#[derive(Default)]` and `#[serde(default)]`, so that a field may be absent.

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

/// A field as it came.
#[derive(Clone, Default)]
pub enum Field<T> {
    /// Left out.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// Of another type, or with U+0000 in its text, which no database takes.
    Wrong,
    /// Of the right type, not checked further.
    Value(T),
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Null,
            value if has_nul(&value) => Self::Wrong,
            value => T::deserialize(value).map_or(Self::Wrong, Self::Value),
        })
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Never shows the value, which may be a password.
impl<T> std::fmt::Debug for Field<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Null => "Null",
            Self::Wrong => "Wrong",
            Self::Value(_) => "Value(***)",
        })
    }
}
