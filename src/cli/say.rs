//! Printing that survives a reader who goes away (`outagelab list | head`).

use super::problems::Refusal;
use crate::text::Problem;
use std::io::{ErrorKind, Write};

/// Prints results. That the reader has gone away is no error: what was to be read was read.
pub fn print(text: &str) -> Result<(), Refusal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Problem::new(format!("the results cannot be printed: {error}")).into())
        }
        _ => Ok(()),
    }
}

/// Talks on stderr. There is nobody to tell if that fails.
pub fn talk(text: &str) {
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}
