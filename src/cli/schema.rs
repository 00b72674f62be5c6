//! `schema`: the words of files, for editors and other programs.

use super::{Done, Verdict, say};
use crate::model::Model;
use crate::study::Experiment;
use clap::ValueEnum;
use serde_json::{Value, json};

/// Print the JSON Schema of model or experiment files.
///
/// Editors use it for completion and help: with the YAML language server, put
/// `# yaml-language-server: $schema=model.schema.json` on the first line of a file.
#[derive(clap::Args)]
pub struct Args {
    /// Which kind of file.
    #[arg(value_enum, default_value_t = Kind::Model)]
    kind: Kind,
}

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// A system and what happens to it.
    Model,
    /// Variants of a model, facts and claims.
    Experiment,
}

impl Kind {
    /// Both kinds.
    pub const ALL: &[Kind] = &[Kind::Model, Kind::Experiment];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Model => "model",
            Kind::Experiment => "experiment",
        }
    }
}

/// Types with a short form beside their map, and the schema of that form.
const SHORT_FORMS: [(&str, &str); 3] = [
    ("RequestClass", r##"{"$ref": "#/$defs/Share"}"##),
    ("Work", r##"{"$ref": "#/$defs/Dist"}"##),
    ("Call", r##"{"type": "string"}"##),
];

/// Prints the schema.
pub fn schema(args: &Args) -> Verdict {
    say::print(&format!("{:#}\n", of(args.kind)))?;
    Ok(Done::Well)
}

/// The schema of a kind of file.
pub fn of(kind: Kind) -> Value {
    let mut schema = match kind {
        Kind::Model => schemars::schema_for!(Model).to_value(),
        Kind::Experiment => schemars::schema_for!(Experiment).to_value(),
    };
    say_yes_and_no(&mut schema);
    for (name, short) in SHORT_FORMS {
        if let Some(long) = schema.pointer_mut(&format!("/$defs/{name}")) {
            add_short_form(long, short);
        }
    }
    schema
}

/// Turns the schema of a map into "this short form or the map".
fn add_short_form(long: &mut Value, short: &str) {
    let mut map = std::mem::take(long);
    let description = map.as_object_mut().and_then(|map| map.remove("description"));
    let short: Value = serde_json::from_str(short).unwrap_or(Value::Bool(true));
    *long = json!({"description": description, "anyOf": [short, map]});
}

/// Files may say `yes` and `no`, which are texts to JSON.
fn say_yes_and_no(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            if map.get("type") == Some(&json!("boolean")) {
                map.remove("type");
                map.insert("enum".to_owned(), json!([true, false, "yes", "no"]));
            }
            map.values_mut().for_each(say_yes_and_no);
        }
        Value::Array(items) => items.iter_mut().for_each(say_yes_and_no),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_forms_are_allowed_beside_their_maps() {
        let schema = of(Kind::Model);
        for (name, short) in SHORT_FORMS {
            let short: Value = serde_json::from_str(short).unwrap();
            let both = &schema["$defs"][name]["anyOf"];
            assert_eq!(both[0], short, "{name}");
            assert!(both[1]["properties"].is_object(), "{name}");
        }
    }

    #[test]
    fn booleans_may_be_said_as_words() {
        let schema = of(Kind::Model);
        let cancels = &schema["$defs"]["Client"]["properties"]["cancels"];
        assert_eq!(cancels["enum"], json!([true, false, "yes", "no"]));
        assert!(cancels.get("type").is_none());
    }
}
