//! Reading outputs back: the HTML as the well-formed XML that it also is.

use quick_xml::Reader;
use quick_xml::events::Event;

/// An element of the page: its name, its attributes as written, and the text before its end.
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: String,
    pub(crate) text: String,
}

/// Every element of the page, in the order of their starts. Panics where a tag is left open, which
/// is what text that breaks out of its place causes.
pub(crate) fn elements(html: &str) -> Vec<Element> {
    let mut reader = Reader::from_str(html);
    reader.config_mut().check_end_names = true;
    let mut elements: Vec<Element> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    loop {
        let event = reader.read_event().expect("the page is well-formed");
        match event {
            Event::Start(ref tag) | Event::Empty(ref tag) => {
                if matches!(event, Event::Start(_)) {
                    open.push(elements.len());
                }
                elements.push(Element {
                    name: String::from_utf8(tag.name().as_ref().to_vec()).expect("UTF-8"),
                    attributes: String::from_utf8(tag.attributes_raw().to_vec()).expect("UTF-8"),
                    text: String::new(),
                });
            }
            Event::End(_) => {
                open.pop();
            }
            Event::Text(text) => add(&mut elements, &open, &text),
            Event::GeneralRef(name) => {
                add(&mut elements, &open, b"&");
                add(&mut elements, &open, &name);
                add(&mut elements, &open, b";");
            }
            Event::Eof => break,
            Event::DocType(_) => {}
            other => panic!("the page has no {other:?}"),
        }
    }
    assert!(open.is_empty(), "an element is left open");
    elements
}

/// Text belongs to every element that is open around it.
fn add(elements: &mut [Element], open: &[usize], text: &[u8]) {
    let text = std::str::from_utf8(text).expect("UTF-8");
    for index in open {
        elements[*index].text.push_str(text);
    }
}
