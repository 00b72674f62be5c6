//! A model and an experiment to start from, with comments.

const MODEL: &str = include_str!("template.model.yaml");
const EXPERIMENT: &str = include_str!("template.experiment.yaml");

/// The two files that a newcomer starts from: clients, a balancer, an API, a database, a surge, an
/// alert and a responder; and an experiment with three variants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The text of the model file.
    pub model: String,
    /// The text of the experiment file.
    pub experiment: String,
}

impl Template {
    /// The files under a name, which is a plain word, and with the paths where they will stand,
    /// relative to the folder in which the program is started.
    #[must_use]
    pub fn new(name: &str, model_path: &str, experiment_path: &str) -> Template {
        let fill = |text: &str| {
            text.replace("MODEL_PATH", model_path)
                .replace("EXPERIMENT_PATH", experiment_path)
                .replace("NAME", name)
        };
        Template { model: fill(MODEL), experiment: fill(EXPERIMENT) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::load_and_compile;
    use crate::sim::run;
    use crate::text::{Sources, plain};

    #[test]
    fn the_template_compiles_and_its_surge_pages_somebody_who_ends_the_outage() {
        let template = Template::new("shop", "models/shop.yaml", "experiments/shop.yaml");
        let mut sources = Sources::default();
        let mut no_files = |path: &str| Err(format!("{path} is not read here"));
        let loaded = load_and_compile(&mut sources, "shop", &template.model, &[], 1, &mut no_files);
        let (model, _, plan) = loaded.unwrap_or_else(|problems| {
            panic!("{}", plain(&problems, &sources));
        });
        assert_eq!(model.name, "shop");
        let outcome = run(&plan, 0);
        assert!(outcome.response.alert.is_some());
        assert!(outcome.response.declared_over.is_some());
        let actions = &plan.responder.unwrap().actions;
        assert_eq!(outcome.response.actions.len(), actions.len());
    }

    #[test]
    fn the_template_has_no_placeholder_left() {
        let template = Template::new("shop", "a.yaml", "b.yaml");
        for text in [template.model, template.experiment] {
            assert!(!text.contains("_PATH") && text.contains("shop"));
            let upper = |word: &&str| *word == "NAME";
            assert!(text.split(|c: char| !c.is_alphabetic()).find(upper).is_none());
        }
    }
}
