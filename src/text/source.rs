//! Where a word stands, and what is wrong with it.

/// Names one of the texts in [`Sources`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u16);

impl SourceId {
    /// No text: for values that do not come from a file.
    pub const NONE: SourceId = SourceId(u16::MAX);
}

/// A stretch of a text, in bytes from its start: `start` is its first byte, `end` the one after its
/// last.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// The text that it is in.
    pub source: SourceId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset of the byte after the last.
    pub end: u32,
}

impl Mark {
    /// The place of what stands in no file.
    pub const NONE: Mark = Mark { source: SourceId::NONE, start: 0, end: 0 };

    /// Whether this is the place of something in a file.
    pub fn is_somewhere(self) -> bool {
        self.source != SourceId::NONE
    }
}

/// The texts read so far. Marks point into them.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<File>,
}

#[derive(Clone, Debug)]
struct File {
    name: String,
    text: String,
}

impl Sources {
    /// Keeps a text under the name that messages call it by. Ids are given in the order of the
    /// calls. When all 65 535 ids are taken, the text is not kept and the id is [`SourceId::NONE`]:
    /// messages then have no position, but all else works.
    pub fn add(&mut self, name: &str, text: &str) -> SourceId {
        let Ok(id) = u16::try_from(self.files.len()) else {
            return SourceId::NONE;
        };
        if id != SourceId::NONE.0 {
            self.files.push(File { name: name.to_owned(), text: text.to_owned() });
        }
        SourceId(id)
    }

    /// The name of a text; empty for an unknown id.
    pub fn name(&self, id: SourceId) -> &str {
        self.files.get(usize::from(id.0)).map_or("", |file| &file.name)
    }

    /// The text itself; empty for an unknown id.
    pub fn text(&self, id: SourceId) -> &str {
        self.files.get(usize::from(id.0)).map_or("", |file| &file.text)
    }

    /// Line and column of the start of `mark`, both counted from 1; columns count characters, not
    /// bytes. A mark outside its text is taken as its nearest place inside.
    pub fn line_column(&self, mark: Mark) -> (usize, usize) {
        let text = self.text(mark.source);
        let before = &text[..floor_char(text, mark.start as usize)];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        (line, before[line_start..].chars().count() + 1)
    }
}

/// The nearest character boundary of `text` at or before byte `at`.
pub(super) fn floor_char(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// A thing that is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Where it stands, if it stands in a file.
    pub mark: Option<Mark>,
}

impl Problem {
    /// A problem without help and without a place.
    pub fn new(what: impl Into<String>) -> Problem {
        Problem { what: what.into(), help: None, mark: None }
    }

    /// The same with a word on what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// The same with its place; [`Mark::NONE`] is no place.
    #[must_use]
    pub fn at(mut self, mark: Mark) -> Problem {
        self.mark = mark.is_somewhere().then_some(mark);
        self
    }
}
