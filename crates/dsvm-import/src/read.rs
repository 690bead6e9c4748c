//! JSON that remembers which of its values were read, so that nothing is lost in silence.

use serde_json::Value as Json;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// A place in a definition.
#[derive(Clone, Debug)]
pub struct Node {
    json: Rc<Json>,
    path: Vec<String>,
    read: Rc<RefCell<BTreeSet<Vec<String>>>>,
}

/// What a property is called when it holds a secret.
const SECRETS: [&str; 6] =
    ["accountkey", "adminuserpassword", "password", "instrumentationkey", "saskey", "connectionstring"];

impl Node {
    /// The whole of a definition.
    pub fn root(json: Json) -> Self {
        Self { json: Rc::new(json), path: Vec::new(), read: Rc::default() }
    }

    fn value(&self) -> Option<&Json> {
        let mut at = &*self.json;
        for step in &self.path {
            at = match at {
                Json::Object(map) => map.iter().find(|(key, _)| key.eq_ignore_ascii_case(step)).map(|(_, v)| v)?,
                Json::Array(list) => list.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        (!at.is_null()).then_some(at)
    }

    /// A property; letter case does not matter.
    pub fn get(&self, name: &str) -> Self {
        let mut path = self.path.clone();
        path.push(name.to_owned());
        Self { path, ..self.clone() }
    }

    /// Whether there is anything.
    pub fn exists(&self) -> bool {
        match self.value() {
            None => false,
            Some(Json::Object(map)) => map.values().any(|v| !v.is_null()),
            Some(Json::Array(list)) => !list.is_empty(),
            Some(_) => true,
        }
    }

    fn mark(&self) {
        self.read.borrow_mut().insert(self.path.iter().map(|s| s.to_ascii_lowercase()).collect());
    }

    /// Its text; marks it as carried over. Empty text counts as absent, and as carried over.
    pub fn text(&self) -> Option<String> {
        let text = self.value()?.as_str()?.to_owned();
        self.mark();
        Some(text).filter(|t| !t.trim().is_empty())
    }

    /// Its number, also when written as text; marks it as carried over.
    pub fn number(&self) -> Option<i64> {
        let value = self.value()?;
        let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
        self.mark();
        Some(number)
    }

    /// Whether it is true, also when written as text; marks it as carried over.
    pub fn truth(&self) -> Option<bool> {
        let value = self.value()?;
        let truth = value.as_bool().or_else(|| value.as_str()?.trim().to_ascii_lowercase().parse().ok())?;
        self.mark();
        Some(truth)
    }

    /// Marks it as carried over in some other way.
    pub fn carried(&self) {
        if self.value().is_some() {
            self.mark();
        }
    }

    /// The elements of a list.
    pub fn items(&self) -> Vec<Self> {
        let count = self.value().and_then(Json::as_array).map_or(0, Vec::len);
        (0..count).map(|i| self.get(&i.to_string())).collect()
    }

    /// The names of its properties.
    pub fn keys(&self) -> Vec<String> {
        self.value().and_then(Json::as_object).map(|m| m.keys().cloned().collect()).unwrap_or_default()
    }

    /// How many values were carried over.
    pub fn carried_count(&self) -> usize {
        self.read.borrow().len()
    }

    /// Every value that was not carried over: its path, and itself unless it is a secret.
    pub fn rest(&self) -> Vec<(String, String)> {
        let mut rest = Vec::new();
        self.leaves(&self.json, &mut Vec::new(), &mut rest);
        rest
    }

    fn leaves(&self, json: &Json, path: &mut Vec<String>, rest: &mut Vec<(String, String)>) {
        let lower: Vec<String> = path.iter().map(|s| s.to_ascii_lowercase()).collect();
        if self.read.borrow().contains(&lower) {
            return;
        }
        match json {
            Json::Object(map) if !map.is_empty() => {
                for (key, value) in map {
                    path.push(key.clone());
                    self.leaves(value, path, rest);
                    path.pop();
                }
            }
            Json::Array(list) if !list.is_empty() => {
                for (index, value) in list.iter().enumerate() {
                    path.push(index.to_string());
                    self.leaves(value, path, rest);
                    path.pop();
                }
            }
            Json::Null | Json::Object(_) | Json::Array(_) => {}
            other => {
                let secret = is_secret(&lower);
                rest.push((path.join("."), if secret { "(a secret, left out)".to_owned() } else { other.to_string() }));
            }
        }
    }
}

fn is_secret(path: &[String]) -> bool {
    let Some(last) = path.last() else { return false };
    SECRETS.contains(&last.as_str()) || (last == "value" && path.iter().any(|p| p == "secrets"))
}
