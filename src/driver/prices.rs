//! Folder → the prices that hold there: those of the program, the project's own file before them, and the terms of `dsvmc.toml`.

use super::World;
use super::load;
use dsvm_diagnostics::source::{SourceFile, SourceMap};
use dsvm_diagnostics::{Diagnostic, Sink};
use dsvm_lint::settings::unusable;
use dsvm_lint::{PriceSettings, WrittenDiscount};
use dsvm_prices::{Book, Discount, Prices, Terms};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The settings files that cannot be used, and what is wrong with the first of them.
pub type Unusable = Box<(SourceMap, Vec<Diagnostic>)>;

/// The prices of a folder, read when they are first asked for: most checks never need them.
pub(super) struct LazyPrices<'w> {
    world: &'w dyn World,
    folder: &'w Path,
    read: OnceLock<Option<Prices>>,
    limits_tags: OnceLock<bool>,
}

impl<'w> LazyPrices<'w> {
    pub(super) fn new(world: &'w dyn World, folder: &'w Path) -> Self {
        Self { world, folder, read: OnceLock::new(), limits_tags: OnceLock::new() }
    }

    /// Whether the settings limit what things with a tag cost. Reads no price file.
    pub(super) fn limits_tags(&self) -> bool {
        *self.limits_tags.get_or_init(|| {
            price_settings(self.world, self.folder).is_ok_and(|(settings, _)| !settings.budgets.is_empty())
        })
    }

    /// Nothing when the settings cannot be used.
    pub(super) fn get(&self) -> Option<&Prices> {
        self.read.get_or_init(|| prices_of(self.world, self.folder).ok()).as_ref()
    }
}

/// Most bytes of a price file: ten times the prices of the program.
const MOST: usize = 4 << 20;

/// What `dsvmc.toml` says about prices for the project in a folder.
///
/// # Errors
/// A file has a mistake: costs of other prices than its author meant are not told.
pub fn price_settings(world: &dyn World, folder: &Path) -> Result<(PriceSettings, SourceMap), Unusable> {
    let (mut all, mut sources, mut sink) = (PriceSettings::default(), SourceMap::default(), Sink::default());
    for file in world.settings(folder) {
        let name = load::shown(&file.path);
        let Ok(bytes) = file.bytes else { continue };
        let (text, broken) = load::decode(bytes);
        // A file that lint and `plan` refuse as a whole says nothing about prices.
        if broken.is_some() || !text.contains("prices") {
            continue;
        }
        let source = sources.add(SourceFile::new(name.clone(), text.clone()));
        all.inherit(&PriceSettings::read(&text, &name, source, &mut sink));
        if sink.has_errors() {
            return Err(Box::new((sources, sink.finish())));
        }
    }
    Ok((all, sources))
}

/// The prices that hold in a folder.
///
/// # Errors
/// `dsvmc.toml` has a mistake, or the price file that it names cannot be read.
pub fn prices_of(world: &dyn World, folder: &Path) -> Result<Prices, Unusable> {
    let (settings, sources) = price_settings(world, folder)?;
    let mut sink = Sink::default();
    let own = own_book(world, &settings, &mut sink);
    let terms = terms(&settings, own.as_deref(), &mut sink);
    if sink.has_errors() {
        return Err(Box::new((sources, sink.finish())));
    }
    Ok(Prices { own, terms: Arc::new(terms) })
}

fn own_book(world: &dyn World, settings: &PriceSettings, sink: &mut Sink) -> Option<Arc<Book>> {
    let (written, file, span) = settings.file.as_ref()?;
    let path = price_file(written, file);
    let refused = |why: String| {
        unusable(format!("the price file `{}` cannot be read", load::shown(&path)), *span)
            .note(why)
            .help("write it with `dsvmc prices update`, or leave `file` out: then the prices of the program count")
    };
    let folder = Path::new(file).parent().unwrap_or(Path::new(""));
    let read = world.read_linked(&path, folder).map_err(|error| error.to_string()).and_then(|bytes| {
        let small = bytes.len() <= MOST;
        let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
        let text = small.then_some(text).ok_or_else(|| format!("a price file has at most {} MiB", MOST >> 20))?;
        Book::read(&text).map_err(|error| error.to_string())
    });
    match read {
        Ok(book) => Some(Arc::new(book)),
        Err(why) => {
            sink.push(refused(why));
            None
        }
    }
}

/// The path of a price file that a `dsvmc.toml` names: from the folder of that file.
#[must_use]
pub fn price_file(written: &str, settings: &str) -> PathBuf {
    Path::new(settings).parent().unwrap_or(Path::new("")).join(written)
}

fn terms(settings: &PriceSettings, own: Option<&Book>, sink: &mut Sink) -> Terms {
    let mut terms = Terms {
        currency: settings.currency.as_ref().map(|(code, _)| code.as_str().into()),
        rate: settings.rate,
        budgets: settings.budgets.clone(),
        ..Terms::default()
    };
    if settings.discounts.is_empty() && settings.reservations.is_empty() {
        return terms;
    }
    let known = dsvm_sema::fitting(None).sizes;
    let region = |name: &str| Book::shipped().has_region(name) || own.is_some_and(|own| own.has_region(name));
    let nowhere = "write it as Azure does, such as `westeurope`: no price is known for a machine there";
    for WrittenDiscount { discount, size, family, span } in &settings.discounts {
        let wanted = |one: &dsvm_sema::FittingSize| match (size, family) {
            (Some(size), _) => size.eq_ignore_ascii_case(&one.name),
            (None, Some(family)) => one.family.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(family)),
            (None, None) => false,
        };
        let sizes: BTreeSet<String> =
            known.iter().filter(|one| wanted(one)).map(|one| one.name.to_lowercase()).collect();
        let named = size.is_some() || family.is_some();
        if named && sizes.is_empty() {
            let made = unusable("this discount is for no size that is known", *span);
            sink.push(made.help("`dsvmc sizes --region westeurope` lists sizes and quota families"));
        }
        if discount.region.as_deref().is_some_and(|name| !region(name)) {
            sink.push(unusable("this discount is for no region that is known", *span).help(nowhere));
        }
        terms.discounts.push(Arc::new(Discount { sizes: named.then_some(sizes), ..discount.clone() }));
    }
    for (reservation, span) in &settings.reservations {
        if !known.iter().any(|one| one.name.eq_ignore_ascii_case(&reservation.size)) {
            let made = unusable("this reservation is for no size that is known", *span);
            sink.push(made.help("`dsvmc sizes --region westeurope` lists sizes"));
        }
        if !region(&reservation.region) {
            sink.push(unusable("this reservation is for no region that is known", *span).help(nowhere));
        }
        terms.reservations.push(reservation.clone());
    }
    terms
}
