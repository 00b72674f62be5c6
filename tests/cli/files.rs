//! Files that are no models: missing, too long, hostile, no files at all.

use super::folder::{Folder, MODEL};

#[test]
fn an_empty_file() {
    let folder = Folder::new();
    for text in ["", "\n\n", "# only a comment\n"] {
        folder.write("a.yaml", text);
        let message = folder.run(&["check", "a.yaml"]).bad();
        assert!(message.contains("a.yaml:1:1: the file is empty"), "{message}");
    }
}

#[test]
fn a_file_of_ten_megabytes() {
    let folder = Folder::new();
    folder.write("a.yaml", vec![b'a'; 10_000_000]);
    for verb in ["check", "run", "study"] {
        let message = folder.run(&[verb, "a.yaml"]).bad();
        assert!(message.contains("a.yaml: too long: it has 10000000 bytes"), "{message}");
    }
}

#[test]
#[cfg(unix)]
fn an_endless_file() {
    let message = Folder::new().run(&["check", "/dev/zero"]).bad();
    assert!(message.contains("too long"), "{message}");
}

#[test]
fn an_alias_bomb() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let nine = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{nine}]\n"));
    }
    let folder = Folder::new();
    folder.write("a.yaml", bomb);
    let message = folder.run(&["check", "a.yaml"]).bad();
    assert!(message.contains("too many values"), "{message}");
}

#[test]
fn a_tower_of_brackets() {
    let folder = Folder::new();
    folder.write("a.yaml", "[".repeat(100_000));
    folder.run(&["check", "a.yaml"]).bad();
}

#[test]
fn a_directory_instead_of_a_file() {
    let folder = Folder::with_files();
    for verb in ["check", "run", "study"] {
        let message = folder.run(&[verb, "."]).bad();
        assert!(message.contains(".: a directory, not a file"), "{message}");
        assert!(message.contains("`model.yaml`"), "{message}");
    }
}

#[test]
fn a_missing_file_with_a_near_name() {
    let folder = Folder::with_files();
    let message = folder.run(&["run", "modle.yaml"]).bad();
    assert!(message.contains("modle.yaml: there is no such file"), "{message}");
    assert!(message.contains("did you mean `model.yaml`?"), "{message}");
    let message = folder.run(&["run", "model"]).bad();
    assert!(message.contains("did you mean `model.yaml`?"), "{message}");
    let message = folder.run(&["run", "nowhere/model.yaml"]).bad();
    assert!(message.contains("no folder nowhere"), "{message}");
}

#[test]
fn a_file_that_is_no_text() {
    let folder = Folder::new();
    folder.write("a.yaml", b"name: a\nhorizon: \xff\n");
    let message = folder.run(&["check", "a.yaml"]).bad();
    assert!(message.contains("a.yaml:2:10: this is not UTF-8 text"), "{message}");
}

#[test]
fn what_a_file_says_cannot_steer_the_terminal() {
    let folder = Folder::new();
    folder.write("a.yaml", "name: \"\\e[31mred\"\nhorizon: \"\\a\"\n\u{85}x: 1\n");
    let message = folder.run(&["check", "a.yaml"]).bad();
    assert!(!message.contains(['\u{1b}', '\u{7}', '\u{85}']), "{message:?}");
}

#[test]
fn a_file_that_a_model_names_is_read_beside_the_model() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("models")).unwrap();
    let model = MODEL.replace("work: 20ms", "work: {empirical: {file: times.txt}}");
    folder.write("models/a.yaml", model);
    let message = folder.run(&["check", "models/a.yaml"]).bad();
    assert!(message.contains("times.txt") && message.contains("no such file"), "{message}");
    folder.write("models/times.txt", "10ms\n30ms\n");
    folder.run(&["check", "models/a.yaml"]).good();
    folder.run(&["run", "models/a.yaml"]).good();
}

#[test]
fn a_model_of_a_thousand_components_is_checked() {
    let mut model =
        "name: many\nhorizon: 1min\nclients:\n  all:\n    arrivals: {poisson: {rate: 1/s}}\n    \
                     calls: c0\ncomponents:\n"
            .to_owned();
    for index in 0..1000 {
        let step = match index {
            999 => "work: 1ms".to_owned(),
            _ => format!("call: c{}.request", index + 1),
        };
        model.push_str(&format!(
            "  c{index}:\n    kind: server\n    workers: 4\n    while_calling: hold\n    \
             endpoints:\n      request: [{{{step}}}]\n"
        ));
    }
    let folder = Folder::new();
    folder.write("many.yaml", model);
    assert_eq!(folder.run(&["check", "many.yaml"]).good(), "many.yaml: model, no problems\n");
}
