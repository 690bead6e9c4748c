//! The table `[deploy]` of a `dsvmc.toml` → where a project is deployed unless the command line says otherwise.
//!
//! Whoever plans a change of a stranger runs with the stranger's file. So a cloud is one of those that have a name here: an
//! address, to which credentials would be sent, is not accepted in a file.

use crate::catalogue::shown;
use crate::prices;
use crate::settings::{span, unreadable, unusable};
use dsvm_diagnostics::source::{SourceId, Span};
use dsvm_diagnostics::{Diagnostic, Sink};
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

/// The table that is read here.
pub(crate) const TABLE: &str = "deploy";
/// The clouds that a file can name.
const CLOUDS: [&str; 3] = ["public", "china", "usgov"];
/// The endpoints that a file can name.
const TARGETS: [&str; 2] = ["local", "azure"];
const KEYS: [&str; 4] = ["target", "cloud", "subscription", "resource-group"];
/// Most characters of the name of a resource group:
/// <https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftresources>
const GROUP: usize = 90;

/// What files say about where to deploy; each value with the file that says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeploySettings {
    /// Which endpoint a plan talks to: `local` or `azure`.
    pub target: Option<(String, String)>,
    /// `public`, `china` or `usgov`.
    pub cloud: Option<(String, String)>,
    /// Id of a subscription.
    pub subscription: Option<(String, String)>,
    /// Name of a resource group, for projects that name none themselves.
    pub resource_group: Option<(String, String)>,
}

impl DeploySettings {
    /// Reads a file, which people know as `file`. A table that no part of dsvmc reads is told, because it may be this one.
    #[must_use]
    pub fn read(text: &str, file: &str, source: SourceId, sink: &mut Sink) -> Self {
        let mut settings = Self::default();
        let table = match DeTable::parse(text) {
            Ok(table) => table,
            Err(error) => {
                sink.push(unreadable(error.message(), span(source, text, &error.span().unwrap_or(0..0))));
                return settings;
            }
        };
        for (key, value) in table.get_ref() {
            let at = span(source, text, &key.span());
            match key.get_ref().as_ref() {
                TABLE => settings.table(value, at, file, (source, text), sink),
                "lint" | prices::TABLE => {}
                other => sink.push(unknown_table(other, at)),
            }
        }
        settings
    }

    pub(crate) fn table(
        &mut self,
        value: &Spanned<DeValue<'_>>,
        at: Span,
        file: &str,
        place: (SourceId, &str),
        sink: &mut Sink,
    ) {
        let DeValue::Table(entries) = value.get_ref() else {
            sink.push(unusable("`deploy` is a table", at).help("write `[deploy]` and the entries below it"));
            return;
        };
        for (key, value) in entries {
            self.entry(key, value, file, place, sink);
        }
    }

    fn entry(
        &mut self,
        key: &Spanned<DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        file: &str,
        (source, text): (SourceId, &str),
        sink: &mut Sink,
    ) {
        let name = key.get_ref().as_ref();
        let at = span(source, text, &value.span());
        let Some(known) = KEYS.into_iter().find(|known| *known == name) else {
            let place = span(source, text, &key.span());
            let made = unusable(format!("`[deploy]` has no entry `{}`", shown(name)), place);
            sink.push(made.help(format!("its entries are {}", listed(&KEYS))));
            return;
        };
        let DeValue::String(written) = value.get_ref() else {
            sink.push(unusable(format!("`{known}` is a text"), at).help("write it in quotes"));
            return;
        };
        let written = written.as_ref();
        let wrong = match known {
            "target" => (!TARGETS.contains(&written)).then(|| format!("write one of {}", listed(&TARGETS))),
            "cloud" if CLOUDS.contains(&written) => None,
            "cloud" if written.contains(['/', ':', '.']) => {
                Some("an address can be given on the command line only: `--cloud URL`, or `AZURE_CLOUD`".to_owned())
            }
            "cloud" => Some(format!("write one of {}", listed(&CLOUDS))),
            "subscription" => {
                (!is_guid(written)).then(|| "write the id of a subscription, as `az account list` shows it".to_owned())
            }
            _ => (!is_group(written)).then(|| "write the name of a resource group".to_owned()),
        };
        if let Some(help) = wrong {
            let title = format!("`{}` is no {}", shown(written), known.replace('-', " "));
            sink.push(unusable(title, at).help(help));
            return;
        }
        let place = match known {
            "target" => &mut self.target,
            "cloud" => &mut self.cloud,
            "subscription" => &mut self.subscription,
            _ => &mut self.resource_group,
        };
        *place = Some((written.to_owned(), file.to_owned()));
    }

    /// Takes over what a file of a folder above says and this one does not.
    pub fn inherit(&mut self, above: &Self) {
        let fill = |own: &mut Option<(String, String)>, theirs: &Option<(String, String)>| {
            if own.is_none() {
                own.clone_from(theirs);
            }
        };
        fill(&mut self.target, &above.target);
        fill(&mut self.cloud, &above.cloud);
        fill(&mut self.subscription, &above.subscription);
        fill(&mut self.resource_group, &above.resource_group);
    }
}

pub(crate) fn unknown_table(name: &str, at: Span) -> Diagnostic {
    let made = unusable(format!("`{}` is no part of these settings", shown(name)), at);
    let rule = crate::rule_named(name).map(|rule| format!("write `{}` below `[lint]`", rule.id));
    let key = KEYS.contains(&name).then(|| format!("write `{name}` below `[deploy]`"));
    let price = prices::KEYS.contains(&name).then(|| format!("write `{name}` below `[prices]`"));
    let tables = || "the tables are `[lint]`, `[deploy]` and `[prices]`".to_owned();
    made.help(rule.or(key).or(price).unwrap_or_else(tables))
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Whether a text has the form of an id that Azure gives to a subscription: 8-4-4-4-12 hexadecimal digits.
fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

fn is_group(text: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "_-().".contains(c);
    (1..=GROUP).contains(&text.chars().count()) && text.chars().all(allowed) && !text.ends_with('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (DeploySettings, Vec<String>) {
        let mut sink = Sink::default();
        let settings = DeploySettings::read(text, "dsvmc.toml", SourceId::file(0), &mut sink);
        (settings, sink.finish().into_iter().map(|found| found.title).collect())
    }

    #[test]
    fn an_address_is_no_cloud() {
        for cloud in [
            "https://evil.example",
            "evil.example",
            "http://127.0.0.1:1",
            "PUBLIC",
            "azurecloud",
            "",
            "public ",
            "//evil",
        ] {
            let (settings, told) = read(&format!("[deploy]\ncloud = \"{cloud}\"\n"));
            assert_eq!((settings, told.len()), (DeploySettings::default(), 1), "{cloud}");
        }
        assert_eq!(read("[deploy]\ncloud = \"china\"\n").1, Vec::<String>::new());
    }

    #[test]
    fn what_is_unknown_is_told_and_has_no_effect() {
        for text in [
            "[deploi]\ntarget = \"azure\"\n",
            "target = \"azure\"\n",
            "[deploy]\ntenant = \"x\"\n",
            "[deploy]\nendpoint = \"https://evil.example\"\n",
            "[deploy]\ntarget = \"stage\"\n",
            "[deploy]\nsubscription = \"my subscription\"\n",
            "[deploy]\nresource-group = \"a/b\"\n",
            "[deploy]\nresource-group = 3\n",
            "deploy = 1\n",
            "[deploy\n",
        ] {
            let (settings, told) = read(text);
            assert_eq!((settings, told.len()), (DeploySettings::default(), 1), "{text}");
        }
    }

    #[test]
    fn the_nearest_file_wins_entry_by_entry() {
        let mut sink = Sink::default();
        let mut read = |text: &str, file: &str| DeploySettings::read(text, file, SourceId::file(0), &mut sink);
        let mut near = read("[deploy]\nresource-group = \"near\"\n", "a/dsvmc.toml");
        near.inherit(&read("[deploy]\nresource-group = \"far\"\ntarget = \"azure\"\n", "dsvmc.toml"));
        assert_eq!(near.resource_group, Some(("near".into(), "a/dsvmc.toml".into())));
        assert_eq!(near.target, Some(("azure".into(), "dsvmc.toml".into())));
    }
}
