//! The report as one HTML page that a person signs off.
//!
//! The page stands alone: its style is inside, it has no script, and its content security policy
//! forbids every request. [`view`] turns the report into what the template shows, [`lines`] and
//! [`traffic`] into the geometry of charts; the templates turn both into HTML and SVG and escape
//! every text in one place, [`environment`].

mod axis;
mod lines;
mod traffic;
mod view;

use cutover_model::RunReport;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, Value, escape_formatter};

use crate::text::visible;

/// The report as one HTML page.
pub fn html(report: &RunReport) -> String {
    let environment = environment();
    let page = environment.get_template("report.html").expect("the template is part of the crate");
    page.render(Value::from(Serde(view::Page::of(report))))
        .expect("the template uses only what the view has, and every report has a view")
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Escaping for HTML follows from the name; what HTML cannot hold or show goes before it.
    environment.set_formatter(|out, state, value| match value.as_str() {
        Some(text) if !value.is_safe() => {
            escape_formatter(out, state, &Value::from(visible(text).into_owned()))
        }
        _ => escape_formatter(out, state, value),
    });
    for (name, template) in [
        ("report.html", include_str!("report.html")),
        ("charts.html", include_str!("charts.html")),
        ("report.css", include_str!("report.css")),
    ] {
        environment.add_template(name, template).expect("a template of the crate is well-formed");
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_wherever_the_template_puts_it() {
        let environment = environment();
        let shown = environment
            .render_named_str("x.html", "{{ it }}", minijinja::context! { it => "<a\u{0}\">" })
            .unwrap();
        assert_eq!(shown, "&lt;a\\u{0}&quot;&gt;");
    }
}
