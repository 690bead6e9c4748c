//! Bodies in ARM's own words → where each property was written.

use super::checked::Place;
use dsvm_syntax::ast::{Expr, ExprKind, Name};

/// Adds the places of a property and of everything that is written inside it, outer ones first.
pub(super) fn note_places(name: &Name, value: &Expr, around: &str, places: &mut Vec<Place>) {
    let pointer = format!("{around}/{}", name.value.replace('~', "~0").replace('/', "~1"));
    places.push(Place { pointer: pointer.clone(), name: name.span, value: value.span });
    inside(value, &pointer, places);
}

fn inside(value: &Expr, pointer: &str, places: &mut Vec<Place>) {
    match &value.kind {
        ExprKind::Record(fields) => {
            for (name, value) in fields {
                note_places(name, value, pointer, places);
            }
        }
        ExprKind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let pointer = format!("{pointer}/{index}");
                places.push(Place { pointer: pointer.clone(), name: item.span, value: item.span });
                inside(item, &pointer, places);
            }
        }
        _ => {}
    }
}
