//! A field of a request body or query before it is checked. Reading it never fails, so that all broken fields can be
//! reported at once. In the document it is `#[schema(value_type = String)]`, or `Option<String>` if it may be left out;
//! serde attributes are not needed.

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, IntoDeserializer, Visitor,
        value::{Error as Misfit, MapDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};
use std::marker::PhantomData;

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

/// Reads a struct of [`Field`]s; fails only if the struct has other fields, too.
pub(super) fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, Misfit> {
    let fields = fields.into_iter().map(|(name, value)| (name, Given(value)));
    T::deserialize(MapDeserializer::new(fields))
}

/// The names of the fields of a struct.
pub(super) fn names<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    // It stops as soon as it has them.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Asks a struct for the names of its fields, and has nothing for them.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Misfit> {
        Err(serde::de::Error::custom("not a struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(Reader(PhantomData))
    }
}

struct Reader<T>(PhantomData<T>);

impl<'de, T: DeserializeOwned> Visitor<'de> for Reader<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a field")
    }

    /// What serde asks for in place of a field that is not there.
    fn visit_none<E>(self) -> Result<Field<T>, E> {
        Ok(Field::Absent)
    }

    fn visit_unit<E>(self) -> Result<Field<T>, E> {
        Ok(Field::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Field<T>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if has_nul(&value) {
            return Ok(Field::Wrong);
        }
        let whole = whole(&value);
        let read = T::deserialize(value).ok();
        let read = read.or_else(|| T::deserialize(whole?).ok());
        Ok(read.map_or(Field::Wrong, Field::Value))
    }
}

/// 12.0 is the integer 12 (JSON Schema, section 6.1.1).
fn whole(value: &Value) -> Option<Value> {
    let number = value.as_f64().filter(|number| number.fract() == 0.0)?;
    format!("{number:.0}").parse::<i64>().ok().map(Value::from)
}

/// A value that came; unlike `Value` it tells `null` from what is not there.
struct Given(Value);

impl IntoDeserializer<'_, Misfit> for Given {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Given {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.0.deserialize_any(visitor).map_err(misfit)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            value => visitor.visit_some(value).map_err(misfit),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Without serde's text, which repeats the value.
fn misfit(_: serde_json::Error) -> Misfit {
    serde::de::Error::custom("a field does not fit")
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[derive(Deserialize, utoipa::ToSchema)]
    struct Sample {
        #[schema(value_type = String, max_length = 254)]
        text: Field<String>,
        #[schema(value_type = Option<bool>)]
        flag: Field<bool>,
        #[schema(value_type = Option<Vec<String>>)]
        list: Field<Vec<String>>,
    }

    fn sample(json: Value) -> Sample {
        match json {
            Value::Object(fields) => read(fields).unwrap(),
            other => panic!("{other}"),
        }
    }

    fn seen(json: Value) -> String {
        let Sample { text, flag, list } = sample(json);
        format!("{text:?} {flag:?} {list:?}")
    }

    #[test]
    fn a_field_is_read_whatever_it_is() {
        assert_eq!(seen(json!({"more": null})), "Absent Absent Absent");
        assert_eq!(
            seen(json!({"text": null, "flag": "true", "list": [1], "more": 1})),
            "Null Wrong Wrong"
        );
        assert_eq!(
            seen(json!({"text": "a", "flag": true, "list": ["a"]})),
            "Value(***) Value(***) Value(***)"
        );
    }

    #[test]
    fn a_whole_number_is_an_integer_however_it_is_written() {
        let read = |value: Value| serde_json::from_value::<Field<u8>>(value).unwrap();
        assert!(matches!(read(json!(12.0)), Field::Value(12)));
        for wrong in [json!(12.5), json!(300.0), json!(-1.0), json!(1e300)] {
            assert!(matches!(read(wrong), Field::Wrong));
        }
    }

    #[test]
    fn text_with_nul_is_wrong() {
        assert_eq!(
            seen(json!({"text": "a\0", "list": ["a", "\0"]})),
            "Wrong Absent Wrong"
        );
    }

    #[test]
    fn the_document_shows_what_the_field_holds() {
        let schema = json!(<Sample as utoipa::PartialSchema>::schema());
        assert_eq!(schema["required"], json!(["text"]));
        assert_eq!(schema["properties"]["text"]["type"], "string");
        assert_eq!(
            schema["properties"]["flag"]["type"],
            json!(["boolean", "null"])
        );
    }

    proptest! {
        #[test]
        fn a_value_is_kept_as_it_came(text in "\\PC{0,20}") {
            let read = sample(json!({"text": text}));
            prop_assert!(matches!(read.text, Field::Value(kept) if kept == text));
        }
    }
}
