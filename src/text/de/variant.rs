//! Enums: a word alone, or a word and its content.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::super::error::{Error, expected, map_of, one_of};
use super::super::node::{Key, Value};
use super::super::source::Mark;
use super::key::KeyDe;
use super::{De, newtype};

/// An enum's word followed by content: `word: content`.
pub(super) struct Tagged<'a> {
    pub(super) key: &'a Key,
    pub(super) content: De<'a>,
}

impl Tagged<'_> {
    /// Without its content the word means nothing, so that the way below it is rigid.
    fn below(&self, error: Error) -> Error {
        error.under(self.key.mark, self.content.node.mark).below(0, true)
    }
}

impl<'a, 'de> EnumAccess<'de> for Tagged<'a> {
    type Error = Error;
    type Variant = Tagged<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Tagged<'a>), Error> {
        let word =
            seed.deserialize(KeyDe { key: self.key }).map_err(|error| error.at(self.key.mark))?;
        Ok((word, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content.node.value {
            Value::Null => Ok(()),
            _ => Err(Error::other(
                format!("`{}` stands alone, but something follows it", self.key.text),
                format!("write `{}` without a colon", self.key.text),
            )
            .at(self.content.node.mark)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self.content).map_err(|error| self.below(error))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, Error> {
        self.content.deserialize_tuple(length, visitor).map_err(|error| self.below(error))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.content.deserialize_struct("", fields, visitor).map_err(|error| self.below(error))
    }
}

/// An enum's word that stands alone.
#[derive(Copy, Clone)]
pub(super) struct Word<'a> {
    pub(super) word: &'a str,
    pub(super) mark: Mark,
}

impl Word<'_> {
    fn needs(self, content: &str) -> Error {
        Error::other(
            format!("`{}` stands alone, but needs content", self.word),
            format!("write `{}: ...` with {content}", self.word),
        )
        .at(self.mark)
    }
}

impl<'a, 'de> EnumAccess<'de> for Word<'a> {
    type Error = Error;
    type Variant = Word<'a>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Word<'a>), Error> {
        let word: StrDeserializer<Error> = self.word.into_deserializer();
        seed.deserialize(word).map(|word| (word, self)).map_err(|error| error.at(self.mark))
    }
}

impl<'de> VariantAccess<'de> for Word<'_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        Ok(())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(NoContent(self))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, _: V) -> Result<V::Value, Error> {
        Err(self.needs(&format!("a list of {length} values")))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(self.needs(&map_of(fields)))
    }
}

/// The content that an enum's word lacks: whoever asks for it says what is needed.
struct NoContent<'a>(Word<'a>);

impl<'de> Deserializer<'de> for NoContent<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        Err(self.0.needs(&expected(&visitor)))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        newtype(name, self.0.mark, self, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(self.0.needs(&map_of(fields)))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        Err(self.0.needs(&one_of(variants)))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string
        bytes byte_buf unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}
