//! The program, as its users meet it: arguments and files in; text, files and exit codes out.

mod bad_input;
mod files;
mod folder;
mod stopped;
mod studies;
mod validation;
mod verbs;
