//! A serde deserializer for [`Node`]s.
//!
//! Beyond what serde asks for, it leaves out the parts that were set aside ([`Pruned`]), hands out
//! places to [`At`](super::At), and notes the way to whatever goes wrong.

mod key;
mod variant;

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::at::AT;
use super::decode::Pruned;
use super::error::{Error, What, map_of, one_of};
use super::node::{Key, Node, Value};
use super::source::Mark;
use key::KeyDe;
use variant::{Tagged, Word};

/// A node to decode, and what of it to leave out.
#[derive(Copy, Clone)]
pub(super) struct De<'a> {
    node: &'a Node,
    pruned: &'a Pruned,
}

impl<'a> De<'a> {
    pub(super) fn new(node: &'a Node, pruned: &'a Pruned) -> De<'a> {
        De { node, pruned }
    }

    fn items(self, items: &'a [Node], rigid: bool) -> Items<'a> {
        Items { items: items.iter().enumerate(), pruned: self.pruned, rigid }
    }

    fn entries(self, entries: &'a [(Key, Node)]) -> Entries<'a> {
        Entries { entries: entries.iter().enumerate(), pruned: self.pruned, value: None }
    }

    fn wrong(self, expected: String) -> Error {
        Error::new(What::Wrong { found: self.node.value.describe(), expected })
    }
}

impl<'de> Deserializer<'de> for De<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => match u64::try_from(*value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(*value),
            },
            Value::Float(value) => visitor.visit_f64(*value),
            Value::Text(text) => visitor.visit_str(text),
            Value::List(items) => visitor.visit_seq(self.items(items, false)),
            Value::Map(entries) => visitor.visit_map(self.entries(entries)),
        }
    }

    /// YAML 1.1 has more booleans than 1.2, and people write them.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Text(text) => match boolean(text) {
                Some(value) => visitor.visit_bool(value),
                None => visitor.visit_str(text),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        newtype(name, self.node.mark, self, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::List(items) if items.len() == length => {
                visitor.visit_seq(self.items(items, true))
            }
            Value::List(items) => Err(Error::new(What::Wrong {
                found: format!("a list of {}", items.len()),
                expected: format!("a list of {length} values"),
            })),
            _ => Err(self.wrong(format!("a list of {length} values"))),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_tuple(length, visitor)
    }

    /// A map only: derived structs would take a list too, by the order of their fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Map(entries) => visitor.visit_map(self.entries(entries)),
            _ => Err(self.wrong(map_of(fields))),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Text(word) => visitor.visit_enum(Word { word, mark: self.node.mark }),
            Value::Map(entries) => match entries.as_slice() {
                [(key, content)] => visitor.visit_enum(Tagged {
                    key,
                    content: De { node: content, pruned: self.pruned.child(0) },
                }),
                [] => Err(self.wrong(one_of(variants))),
                [(first, _), (second, _), ..] => Err(Error::other(
                    format!(
                        "only one word can stand here, but `{}` is followed by `{}`",
                        first.text, second.text
                    ),
                    "indent what belongs to the first word below it; in a list, begin each element \
                     with `- `",
                )
                .at(second.mark)),
            },
            _ => Err(self.wrong(one_of(variants))),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq map identifier
    }
}

fn boolean(text: &str) -> Option<bool> {
    let any = |words: [&str; 2]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    any(["yes", "on"]).then_some(true).or(any(["no", "off"]).then_some(false))
}

/// A newtype is its content, except for [`At`](super::At), which is its place and then its content.
fn newtype<'de, D, V>(
    name: &'static str,
    mark: Mark,
    content: D,
    visitor: V,
) -> Result<V::Value, Error>
where
    D: Deserializer<'de, Error = Error>,
    V: Visitor<'de>,
{
    if name != AT {
        return visitor.visit_newtype_struct(content);
    }
    let place = [u32::from(mark.source.0), mark.start, mark.end];
    visitor.visit_seq(Parts { place: place.into_iter(), content: Some(content) })
}

/// The parts of an [`At`](super::At).
struct Parts<D> {
    place: std::array::IntoIter<u32, 3>,
    content: Option<D>,
}

impl<'de, D: Deserializer<'de, Error = Error>> SeqAccess<'de> for Parts<D> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        if let Some(number) = self.place.next() {
            return seed.deserialize(number.into_deserializer()).map(Some);
        }
        self.content.take().map(|content| seed.deserialize(content)).transpose()
    }
}

/// The elements of a list.
struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
    pruned: &'a Pruned,
    rigid: bool,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let pruned = self.pruned;
        let Some((index, node)) = self.items.find(|(index, _)| !pruned.child(*index).gone()) else {
            return Ok(None);
        };
        seed.deserialize(De { node, pruned: pruned.child(index) })
            .map(Some)
            .map_err(|error| error.at(node.mark).below(index, self.rigid))
    }
}

/// The entries of a map.
struct Entries<'a> {
    entries: std::iter::Enumerate<std::slice::Iter<'a, (Key, Node)>>,
    pruned: &'a Pruned,
    value: Option<(usize, &'a Key, &'a Node)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let pruned = self.pruned;
        let Some((index, (key, node))) =
            self.entries.find(|(index, _)| !pruned.child(*index).gone())
        else {
            return Ok(None);
        };
        self.value = Some((index, key, node));
        seed.deserialize(KeyDe { key }).map(Some).map_err(|error| error.at(key.mark).in_key(index))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some((index, key, node)) = self.value.take() else {
            return Err(serde::de::Error::custom("a value was asked for before its key"));
        };
        seed.deserialize(De { node, pruned: self.pruned.child(index) })
            .map_err(|error| error.under(key.mark, node.mark).below(index, false))
    }
}
