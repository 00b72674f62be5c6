//! Dotted paths: how patches and messages name a place in a tree.

/// The segments of a dotted path. A segment in double quotes may contain dots; inside quotes, `\"`
/// is a quote and `\\` a backslash.
///
/// # Errors
///
/// What is wrong with the path, as words for a message.
pub(super) fn split(path: &str) -> Result<Vec<String>, &'static str> {
    let mut segments = Vec::new();
    let mut rest = path.chars().peekable();
    loop {
        let mut segment = String::new();
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next() {
                    Some('"') => break,
                    Some('\\') => segment.extend(rest.next()),
                    Some(c) => segment.push(c),
                    None => return Err("has a quote that is not closed"),
                }
            }
            if rest.peek().is_some_and(|&c| c != '.') {
                return Err("has letters after a closing quote, where a dot should be");
            }
        } else {
            while let Some(c) = rest.next_if(|&c| c != '.') {
                segment.push(c);
            }
            if segment.is_empty() {
                return Err("has an empty segment");
            }
        }
        segments.push(segment);
        if rest.next().is_none() {
            return Ok(segments);
        }
    }
}

/// The dotted path of some segments, with quotes where [`split`] needs them.
pub(super) fn join<'a>(segments: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = segments
        .map(|segment| {
            if segment.is_empty() || segment.contains(['.', '"', '=', '\\']) {
                format!("\"{}\"", segment.replace('\\', "\\\\").replace('"', "\\\""))
            } else {
                segment.to_owned()
            }
        })
        .collect();
    quoted.join(".")
}
