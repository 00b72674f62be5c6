//! Reading distributions from files: the short spellings beside the derived ones.
//!
//! The derived readers are inherent functions (`remote = "Self"`), to which the readers here hand
//! on maps and lists. `untagged` would be shorter, but it throws away the messages of the variants.

use super::{Count, Dist, Quantity, Uniform};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, IntoDeserializer, Visitor};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::fmt;
use std::marker::PhantomData;

/// Something written as a bare value or as a map with one name.
trait BareOrNamed<'de>: Sized {
    type Bare: Deserialize<'de>;
    const EXPECTED: &'static str;

    fn bare(value: Self::Bare) -> Self;
    fn named<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

impl<'de, Q: Quantity> BareOrNamed<'de> for Dist<Q> {
    type Bare = Q;
    const EXPECTED: &'static str =
        "a quantity or one distribution such as `exponential: {mean: …}`";

    fn bare(value: Q) -> Self {
        Self::Fixed(value)
    }
    fn named<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The inherent function of the derive, not the trait's.
        Self::deserialize(deserializer)
    }
}

impl<'de> BareOrNamed<'de> for Count {
    type Bare = u32;
    const EXPECTED: &'static str =
        "a whole number or one distribution such as `geometric: {mean: 5}`";

    fn bare(value: u32) -> Self {
        Self::Fixed(value)
    }
    fn named<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

struct BareOrNamedVisitor<T>(PhantomData<T>);

impl<'de, T: BareOrNamed<'de>> Visitor<'de> for BareOrNamedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::Bare::deserialize(text.into_deserializer()).map(T::bare)
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        T::Bare::deserialize(number.into_deserializer()).map(T::bare)
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        T::Bare::deserialize(number.into_deserializer()).map(T::bare)
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        T::Bare::deserialize(number.into_deserializer()).map(T::bare)
    }
    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let value = T::named(MapAccessDeserializer::new(&mut map))?;
        match map.next_key::<String>()? {
            None => Ok(value),
            Some(second) => Err(de::Error::custom(format!(
                "`{second}` is a second name; expected {}",
                T::EXPECTED
            ))),
        }
    }
}

impl<'de, Q: Quantity> Deserialize<'de> for Dist<Q> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareOrNamedVisitor(PhantomData))
    }
}

impl<Q: Quantity> Serialize for Dist<Q> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The inherent function of the derive.
        Self::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BareOrNamedVisitor(PhantomData))
    }
}

impl Serialize for Count {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

struct PairVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for PairVisitor<T> {
    type Value = Uniform<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the two ends, `[from, to]` or `{from: …, to: …}`")
    }
    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Uniform<T>, A::Error> {
        let pair = Uniform::deserialize(SeqAccessDeserializer::new(&mut list))?;
        match list.next_element::<IgnoredAny>()? {
            None => Ok(pair),
            Some(_) => Err(de::Error::invalid_length(3, &self)),
        }
    }
    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Uniform<T>, A::Error> {
        Uniform::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Uniform<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PairVisitor(PhantomData))
    }
}

impl<T: Serialize> Serialize for Uniform<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Self::serialize(self, serializer)
    }
}

/// Schema of an enum with a variant `fixed`: the bare value is allowed as well.
pub(super) fn also_bare(schema: &mut schemars::Schema) {
    let Some(Value::Array(variants)) = schema.get_mut("oneOf") else { return };
    let bare = variants.iter().find_map(|variant| variant.pointer("/properties/fixed")).cloned();
    variants.extend(bare);
}

/// Schema of a [`Uniform`]: the list of its two ends is allowed as well.
pub(super) fn also_pair(schema: &mut schemars::Schema) {
    let Some(mut end) = schema.pointer("/properties/from").cloned() else { return };
    if let Some(end) = end.as_object_mut() {
        end.remove("description");
    }
    let pair = json!({"type": "array", "items": end, "minItems": 2, "maxItems": 2});
    let mut map = schema.clone().to_value();
    let description = map.as_object_mut().and_then(|map| map.remove("description"));
    *schema = schemars::json_schema!({"description": description, "oneOf": [pair, map]});
}
