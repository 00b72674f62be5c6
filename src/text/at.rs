//! Decoded values that remember where they stood.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::source::{Mark, SourceId};

/// A decoded value with its place, for messages of checks that come after decoding.
///
/// It reads, writes and describes itself in a schema as `T` does, and equals by value alone.
/// Decoded from anything but a [`Node`](super::Node), its place is [`Mark::NONE`].
#[derive(Clone, Copy, Debug)]
pub struct At<T> {
    /// The value itself.
    pub value: T,
    /// Where it stood.
    pub mark: Mark,
}

/// A name in a file, with its place.
pub type Name = At<String>;

/// The newtype name by which [`At`] asks our deserializer for the place along with the value.
/// Other deserializers ignore the name and give the value alone.
pub(super) const AT: &str = "$outagelab::text::At";

impl<T> At<T> {
    /// A value that stands in no file: for tests and for values made by the program.
    pub fn nowhere(value: T) -> At<T> {
        At { value, mark: Mark::NONE }
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &At<T>) -> bool {
        self.value == other.value
    }
}

impl<T: Default> Default for At<T> {
    fn default() -> At<T> {
        At::nowhere(T::default())
    }
}

impl<T> From<T> for At<T> {
    fn from(value: T) -> At<T> {
        At::nowhere(value)
    }
}

impl<T: Serialize> Serialize for At<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for At<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<At<T>, D::Error> {
        deserializer.deserialize_newtype_struct(AT, AtVisitor(PhantomData))
    }
}

struct AtVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for AtVisitor<T> {
    type Value = At<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    /// A deserializer that knows no places.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<At<T>, D::Error> {
        T::deserialize(inner).map(At::nowhere)
    }

    /// Ours: source, start, end and then the value.
    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<At<T>, A::Error> {
        let mark = Mark {
            source: SourceId(part(&mut parts)?),
            start: part(&mut parts)?,
            end: part(&mut parts)?,
        };
        Ok(At { value: part(&mut parts)?, mark })
    }
}

fn part<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(parts: &mut A) -> Result<T, A::Error> {
    parts.next_element()?.ok_or_else(|| A::Error::custom("a value with its place has four parts"))
}

/// A map from names to values that keeps the order and the places of the names. Names are unique
/// when it was decoded from a file, because the reader reports duplicate keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Vec<(Name, T)>);

impl<T> Named<T> {
    /// Names and values in the order written.
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, T)> {
        self.0.iter()
    }

    /// The names in the order written.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.iter().map(|(name, _)| name.value.as_str())
    }

    /// The value of a name. Takes time proportional to the number of names.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known.value == name).map(|(_, value)| value)
    }

    /// The number of names.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named(Vec::new())
    }
}

impl<'a, T> IntoIterator for &'a Named<T> {
    type Item = &'a (Name, T);
    type IntoIter = std::slice::Iter<'a, (Name, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(&name.value, value)?;
        }
        map.end()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named<T>, D::Error> {
        deserializer.deserialize_map(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a map from names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Named(entries))
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Map_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": generator.subschema_for::<T>(),
        })
    }
}
