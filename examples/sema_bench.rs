use dsvmc::{diagnostics::Sink, sema, source::{SourceFile, SourceMap}};
fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    for _ in 0..6 {
        let mut sources = SourceMap::default();
        let mut sink = Sink::default();
        let root = sources.add(SourceFile::new("main.dsvm", text.clone()));
        let t0 = std::time::Instant::now();
        let program = sema::load(&[root], &mut sources, &mut |_| None, &mut sink);
        let t1 = std::time::Instant::now();
        let c = sema::check(&program, None, &mut sink);
        let t2 = std::time::Instant::now();
        let d = sema::check(&program, Some("prod"), &mut sink);
        let t3 = std::time::Instant::now();
        eprintln!("load {:?} symbolic {:?} env {:?} blocks {} {} findings {}", t1 - t0, t2 - t1, t3 - t2, c.blocks.len(), d.blocks.len(), sink.as_slice().len());
    }
}
