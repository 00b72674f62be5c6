//! What a variant changes in a model.

use super::experiment::Variant;
use crate::text::{Name, Named, Node, Patch, Problem, unknown};

/// The patches of a variant, with those of the variants that it contains before its own.
///
/// # Errors
/// It contains a variant that nobody knows, or itself.
pub(crate) fn patches_of(
    variants: &Named<Variant>,
    name: &Name,
    variant: &Variant,
) -> Result<Vec<Patch>, Problem> {
    collect(variants, name, variant, &mut vec![name.value.as_str()])
}

/// The same; `inside` are the names of the variants that are being collected.
fn collect<'v>(
    variants: &'v Named<Variant>,
    name: &Name,
    variant: &'v Variant,
    inside: &mut Vec<&'v str>,
) -> Result<Vec<Patch>, Problem> {
    let mut patches = Vec::new();
    for part in &variant.all_of {
        let Some(contained) = variants.get(&part.value) else {
            return Err(unknown("variant", part, variants.names()));
        };
        if inside.contains(&part.value.as_str()) {
            let what = format!("`{}` contains itself by `all_of`", name.value);
            return Err(Problem::new(what).at(part.mark));
        }
        inside.push(&part.value);
        patches.extend(collect(variants, name, contained, inside)?);
        inside.pop();
    }
    patches.extend(edits(&variant.set, &variant.add, &variant.remove));
    Ok(patches)
}

/// Patches in the order in which they are applied.
pub(crate) fn edits<'e>(
    set: &'e Named<Node>,
    add: &'e Named<Node>,
    remove: &'e [Name],
) -> impl Iterator<Item = Patch> + 'e {
    let set =
        set.iter().map(|(path, value)| Patch::Set { path: path.clone(), value: value.clone() });
    let add =
        add.iter().map(|(path, value)| Patch::Add { path: path.clone(), value: value.clone() });
    set.chain(add).chain(remove.iter().map(|path| Patch::Remove { path: path.clone() }))
}
