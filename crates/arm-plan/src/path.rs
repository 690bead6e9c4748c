//! The current position in a resource: for people, for the table of facts, and as a JSON pointer.

/// Three spellings of one place, grown and cut together.
#[derive(Clone, Debug, Default)]
pub struct Path {
    /// The path as shown to people: `properties.subnets[default].name`.
    shown: String,
    /// The path as facts name it, in lower case: `properties.subnets[].name`.
    pattern: String,
    /// `/properties/subnets/0/name` in the wanted body
    pointer: String,
}

/// A position to which [`Path::leave`] returns.
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, usize, usize);

impl Path {
    /// The path as shown to people.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// For the table of facts.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Into the wanted body.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Goes into a property.
    pub fn enter_key(&mut self, key: &str) -> Mark {
        self.enter(key, &key.to_ascii_lowercase())
    }

    /// Goes into an entry of an object whose keys are data: the table knows them all as `*`.
    pub fn enter_entry(&mut self, key: &str) -> Mark {
        self.enter(key, "*")
    }

    fn enter(&mut self, key: &str, known_as: &str) -> Mark {
        let mark = self.mark();
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'));
        if plain {
            if !self.shown.is_empty() {
                self.shown.push('.');
            }
            self.shown.push_str(key);
        } else {
            self.shown.push_str(&format!("[{key:?}]"));
        }
        if !self.pattern.is_empty() {
            self.pattern.push('.');
        }
        self.pattern.push_str(known_as);
        self.pointer.push('/');
        self.pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
        mark
    }

    /// Goes into an element of a list.
    pub fn enter_element(&mut self, label: &str, index: usize) -> Mark {
        let mark = self.mark();
        self.shown.push_str(&format!("[{label}]"));
        self.pattern.push_str("[]");
        self.pointer.push_str(&format!("/{index}"));
        mark
    }

    /// Returns to an earlier position.
    pub fn leave(&mut self, mark: Mark) {
        self.shown.truncate(mark.0);
        self.pattern.truncate(mark.1);
        self.pointer.truncate(mark.2);
    }

    fn mark(&self) -> Mark {
        Mark(self.shown.len(), self.pattern.len(), self.pointer.len())
    }
}
