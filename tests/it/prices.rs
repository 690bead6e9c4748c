//! `dsvmc prices update` against a service of a few lines, and what price files, discounts, reservations and currencies do to
//! costs. Rows are in the documented form of the service; amounts are made up, so that none can come from anywhere else.

use crate::cost::{CASES, HEAD, TEAM, item, known, read};
use crate::support::{Ran, TestContext};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

/// What a service answers to a request line, as it goes over the wire.
type Answer = dyn Fn(&str, usize, &str) -> String + Send + Sync;

/// The same without anything that it remembers.
type Hostile = fn(&str, usize, &str) -> String;

struct Service {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Serves until the test ends.
fn service(answer: impl Fn(&str, usize, &str) -> String + Send + Sync + 'static) -> Service {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/api/retail/prices", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (seen, own, answer): (_, _, Box<Answer>) = (Arc::clone(&asked), address.clone(), Box::new(answer));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut bytes = [0; 4096];
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut bytes) {
                    Ok(read) if read > 0 => request.extend(bytes.iter().take(read)),
                    _ => break,
                }
            }
            let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
            let at = {
                let mut seen = seen.lock().unwrap();
                seen.push(line.clone());
                seen.len() - 1
            };
            let _ = stream.write_all(answer(&line, at, &own).as_bytes());
        }
    });
    Service { address, asked }
}

fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn page(items: &[Value], next: Value, currency: &str) -> String {
    let count = items.len();
    let body = json!({ "BillingCurrency": currency, "CustomerEntityId": "Default", "CustomerEntityType": "Retail",
        "Items": items, "NextPageLink": next, "Count": count });
    ok(&body.to_string())
}

fn row(service: &str, product: &str, sku: &str, meter: &str, unit: &str, price: f64, currency: &str) -> Value {
    json!({ "currencyCode": currency, "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
        "armRegionName": "westeurope", "location": "EU West", "effectiveStartDate": "2026-11-01T00:00:00Z",
        "meterId": "m", "meterName": meter, "productId": "p", "skuId": "s", "productName": product, "skuName": sku,
        "serviceName": service, "serviceId": "i", "serviceFamily": "Compute", "unitOfMeasure": unit, "type": "Consumption",
        "isPrimaryMeterRegion": true, "armSkuName": "Standard_D8s_v5" })
}

/// The first page has the machine, the second, where the first leads, the disk.
fn two_pages(line: &str, currency: &str, own: &str) -> String {
    let series = "Virtual Machines Dsv5 Series";
    if line.contains("Virtual%20Machines") && !line.contains("skip") {
        let items = [
            row("Virtual Machines", series, "D8s v5", "D8s v5", "1 Hour", 0.50, currency),
            row("Virtual Machines", series, "D8s v5", "D8s v5 Spot", "1 Hour", 0.07, currency),
        ];
        let next = format!("{own}?$filter=serviceName eq 'Virtual Machines'&$skip=100");
        return page(&items, next.into(), currency);
    }
    if line.contains("skip") {
        let product = format!("{series} Windows");
        return page(
            &[row("Virtual Machines", &product, "D8s v5", "D8s v5", "1 Hour", 0.9, currency)],
            Value::Null,
            currency,
        );
    }
    if line.contains("Premium%20SSD") {
        let row = row("Storage", "Premium SSD Managed Disks", "P15 LRS", "P15 LRS Disk", "1/Month", 40.5, currency);
        return page(&[row], Value::Null, currency);
    }
    page(&[], Value::Null, currency)
}

fn project(settings: &str) -> TestContext {
    let cx = TestContext::new();
    cx.write("main.dsvm", &[HEAD, TEAM].concat());
    cx.write("dsvmc.toml", settings);
    cx
}

fn update(cx: &TestContext, service: &Service) -> Ran {
    cx.ran(cx.command("prices update --as-of 2026-12-01 --service").arg(&service.address))
}

fn cost(cx: &TestContext) -> Value {
    read(&cx.ran(&mut cx.command("cost --format json --as-of 2026-11-23")))
}

const NEED: &str = "vcpu == 8, memory == 32 GiB";
const FILE: &str = "[prices]\nfile = \"prices.txt\"\n";

#[test]
fn an_update_writes_a_file_that_costs_are_counted_with() {
    let cx = project(FILE);
    let service = service(|line, _, own| two_pages(line, "USD", own));
    // Before there is a file, the settings name one that is not there.
    let none = cx.run("cost");
    assert!(none.exit == 1 && none.stderr.contains("the price file `prices.txt` cannot be read"), "{}", none.stderr);
    let ran = update(&cx, &service);
    assert_eq!(ran.exit, 0, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("3 prices of machines and 1 of other things written to `prices.txt`, in USD"),
        "{}",
        ran.stderr
    );
    let asked = service.asked.lock().unwrap().clone();
    // Machines and where their page leads, six products in the region, three that are the same everywhere.
    assert_eq!(asked.len(), 11, "{asked:#?}");
    let encoded = "serviceName%20eq%20%27Virtual%20Machines%27%20and%20armRegionName%20eq%20%27westeurope%27";
    assert!(asked[0].contains("currencyCode=%27USD%27&$filter="), "{}", asked[0]);
    assert!(
        asked[0].contains(encoded) && asked[0].contains("armSkuName%20eq%20%27Standard%5FD8s%5Fv5%27"),
        "{}",
        asked[0]
    );
    let text = cx.read("prices.txt");
    assert!(text.contains("size Standard_D8s_v5\nwesteurope a 0.5 0.9 0.07 - -\n"), "{text}");
    assert!(text.contains("source a 2026-12-01 - - Azure Retail Prices, http://127.0.0.1"), "{text}");
    // 0.50 × 730 for one machine; 1.595238 machines on average, four at most; the NAT gateway as the program has it.
    let bill = cost(&cx);
    assert_eq!(item(&bill, Some("team"), "machines"), known(["365", "582.2619", "1460"]));
    assert_eq!(item(&bill, Some("team"), "system disks"), known(["40.5", "64.6071", "162"]));
    assert_eq!(item(&bill, None, "NAT gateway"), known(["32.85", "32.85", "32.85"]));
    assert_eq!(bill["projects"][0]["items"][0]["cases"]["floor"]["price"]["date"], "2026-12-01");
    // The same answers give the same bytes.
    assert_eq!(update(&cx, &service).exit, 0);
    assert_eq!(cx.read("prices.txt"), text);
    // Every command that tells a price tells this one.
    let sizes = cx.ran(cx.command("sizes --region westeurope --format json --need").arg(NEED));
    let sizes: Value = serde_json::from_str(&sizes.stdout).unwrap();
    let own = sizes["sizes"].as_array().unwrap().iter().find(|size| size["size"] == "Standard_D8s_v5").unwrap();
    assert_eq!(own["price"]["amount"], "0.5");
    let simulated = cx.ran(cx.command("simulate --as-of 2026-11-23 --workload").arg("office of 4"));
    assert!(
        simulated.stdout.contains("at 0.5 USD an hour in westeurope\n              (2026-12-01"),
        "{}{}",
        simulated.stdout,
        simulated.stderr
    );
}

#[test]
fn answers_that_lead_elsewhere_or_never_end_leave_the_file_as_it_is() {
    let wrong: [(&str, Hostile); 9] = [
        ("leads to `https://evil.example`", |_, _, _| {
            page(&[], "https://evil.example/api/retail/prices?$skip=100".into(), "USD")
        }),
        ("all pages are at the address", |_, _, own| page(&[], own.replace("http:", "https:").into(), "USD")),
        ("all pages are at the address", |_, _, own| {
            page(&[], own.replace("/api/retail/prices", "/other").into(), "USD")
        }),
        ("more than 100 pages", |_, at, own| page(&[], format!("{own}?$skip={at}").into(), "USD")),
        ("answered 302", |_, _, _| {
            "HTTP/1.1 302 Found\r\nlocation: https://evil.example/\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
                .to_owned()
        }),
        ("an answer has more than", |_, _, _| ok(&"[".repeat(2 << 20))),
        ("no page of prices", |_, _, _| ok("<html>hello</html>")),
        ("no page of prices", |_, _, _| ok(&format!("{}{}", "[".repeat(400_000), "]".repeat(400_000)))),
        ("in another currency than USD", |line, _, own| two_pages(line, "EUR", own)),
    ];
    for (words, answer) in wrong {
        let cx = project(FILE);
        cx.write("prices.txt", "# Prices of Azure for dsvmc, of before\n");
        let ran = update(&cx, &service(answer));
        assert!(ran.exit != 0 && ran.stderr.contains(words), "{words}: {} {}", ran.exit, ran.stderr);
        assert!(!ran.stderr.contains("$skip") && ran.stderr.len() < 2_000, "{}", ran.stderr);
        assert_eq!(cx.read("prices.txt"), "# Prices of Azure for dsvmc, of before\n", "{words}");
    }
    let cx = project(FILE);
    for address in ["http://prices.azure.com/api", "ftp://127.0.0.1/", "https://user:secret@127.0.0.1/", "127.0.0.1"] {
        let ran = cx.ran(cx.command("prices update --service").arg(address));
        assert!(ran.exit != 0 && ran.stderr.contains("is no address of a price service"), "{address}: {}", ran.stderr);
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}

#[test]
fn a_file_that_is_no_price_file_is_not_written_over() {
    let cx = project(FILE);
    cx.write("prices.txt", "my notes\n");
    let ran = update(&cx, &service(|line, _, own| two_pages(line, "USD", own)));
    assert!(ran.exit != 0 && ran.stderr.contains("was not written by dsvmc"), "{}", ran.stderr);
    let none = project("[prices]\ncurrency = \"USD\"\n");
    let ran = none.run("prices update --service http://127.0.0.1:1/");
    assert!(ran.stderr.contains("no price file is named"), "{}", ran.stderr);
}

/// Rows `westeurope r 0.46 …` of `size Standard_D8s_v5` and `westeurope r 41.811428` of `disk P15_LRS`.
#[test]
fn the_first_discount_that_fits_is_taken_off_and_told() {
    let cx = project(
        "[[prices.discounts]]\npercent = 10\nfamily = \"standardDSv5Family\"\nservice = \"machines\"\nname = \"agreement\"\n\
         [[prices.discounts]]\npercent = 50\nregion = \"westeurope\"\nservice = \"disks\"\n",
    );
    let bill = cost(&cx);
    // 0.46 × 90 % × 730 = 302.22; × 1.595238 = 482.1128; × 4. Half of 41.811428, as often.
    assert_eq!(item(&bill, Some("team"), "machines"), known(["302.22", "482.1128", "1208.88"]));
    assert_eq!(item(&bill, Some("team"), "system disks"), known(["20.9057", "33.3496", "83.6229"]));
    assert_eq!(item(&bill, None, "NAT gateway"), known(["32.85", "32.85", "32.85"]));
    assert_eq!(bill["projects"][0]["items"][0]["cases"]["floor"]["price"]["discount"], "10 % off: agreement");
    let text = cx.run("cost --as-of 2026-11-23").stdout;
    assert!(text.contains("on demand, 10 % off: agreement") && text.contains("50 % off: own discount"), "{text}");
    let sizes = cx.ran(cx.command("sizes --region westeurope --need").arg(NEED)).stdout;
    assert!(sizes.contains("0.414") && sizes.contains("10 % off: agreement"), "{sizes}");
}

/// Two machines are reserved at 0.30: 2 × 0.30 × 730 = 438 in every case. The schedule keeps three machines in 50 of 168 hours and
/// one in the others: beyond two it keeps one in 50 hours, 50/168 = 0.297619 on average, and two of four at most.
#[test]
fn reserved_machines_are_paid_whether_they_run_or_not() {
    let reserved = "[[prices.reservations]]\nsize = \"Standard_D8s_v5\"\nregion = \"westeurope\"\nmachines = 2\nprice = 0.30\n\
                    date = 2026-01-15\nname = \"three years\"\n";
    let bill = cost(&project(reserved));
    assert_eq!(item(&bill, None, "reserved machines"), known(["438", "438", "438"]));
    assert_eq!(item(&bill, Some("team"), "machines"), known(["0", "99.9405", "671.6"]));
    let items = bill["projects"][0]["items"].as_array().unwrap();
    assert!(
        items.iter().any(|item| item["what"] == "reserved machines" && item["region"] == "westeurope"),
        "{items:?}"
    );
    // Disks are not reserved.
    assert_eq!(item(&bill, Some("team"), "system disks"), known(["41.8114", "66.6992", "167.2457"]));
    assert_eq!(bill["projects"][0]["pools"][0]["machines"]["ceiling"], "4");
}

/// A dollar costs 0.90 euros: 0.46 × 0.90 × 730 = 302.22.
#[test]
fn another_currency_converts_what_is_in_dollars_and_says_so() {
    let cx = project("[prices]\ncurrency = \"EUR\"\nrate = 0.90\nrate-date = 2026-11-30\n");
    let bill = cost(&cx);
    assert_eq!((&bill["currency"], &bill["rates"][0]), (&"EUR".into(), &"1 USD is 0.9 EUR (2026-11-30)".into()));
    assert_eq!(item(&bill, Some("team"), "machines"), known(["302.22", "482.1128", "1208.88"]));
    let text = cx.run("cost").stdout;
    assert!(text.contains("EUR for a month") && text.contains("1 USD is 0.9 EUR (2026-11-30)"), "{text}");
    // 1,543.30 dollars at most are 1,388.97 euros; a budget can be in either.
    for (budget, fine) in
        [("1_389 EUR/month", true), ("1_388 EUR/month", false), ("1_544 USD/month", true), ("1_543 USD/month", false)]
    {
        let head = HEAD.replace("location = westeurope", &format!("location = westeurope, budget = {budget}"));
        cx.write("main.dsvm", &[&head, TEAM].concat());
        let ran = cx.run("check --as-of 2026-11-23");
        assert_eq!(!ran.stderr.contains("DSVM0482"), fine, "{budget}: {}", ran.stderr);
        assert!(fine || ran.stderr.contains("can cost 1,388.97 EUR a month"), "{}", ran.stderr);
    }
    // Without a rate nothing is known in that currency, and nothing is free.
    let bill = cost(&project("[prices]\ncurrency = \"EUR\"\n"));
    assert_eq!(item(&bill, Some("team"), "machines"), [None, None, None]);
    // Prices that were read in it need no rate.
    let cx = project("[prices]\ncurrency = \"EUR\"\nfile = \"prices.txt\"\n");
    let service = service(|line, _, own| two_pages(line, "EUR", own));
    assert_eq!(update(&cx, &service).exit, 0);
    assert!(service.asked.lock().unwrap()[0].contains("currencyCode=%27EUR%27"));
    assert_eq!(item(&cost(&cx), Some("team"), "machines"), known(["365", "582.2619", "1460"]));
}

#[test]
fn settings_that_mean_nothing_are_refused_by_every_command_that_tells_a_price() {
    for (settings, words) in [
        ("[[prices.discounts]]\npercent = 10\nsize = \"Standard_D8s_v55\"\n", "for no size that is known"),
        ("[[prices.discounts]]\npercent = 10\nregion = \"atlantis\"\n", "for no region that is known"),
        ("[[prices.discounts]]\npercent = 110\n", "at most 100 percent"),
        ("[prices]\nfile = \"../elsewhere.txt\"\n", "cannot be read"),
        ("[prices]\ncurency = \"EUR\"\n", "has no entry `curency`"),
    ] {
        let cx = project(settings);
        for command in ["cost", "plan --against HEAD", "sizes --region westeurope", "simulate --workload office"] {
            let ran = cx.run(command);
            assert!(ran.exit == 1 && ran.stderr.contains(words), "{command} {settings}: {}", ran.stderr);
        }
    }
    let cx = project("[prices]\ncurency = \"EUR\"\n");
    let head = HEAD.replace("location = westeurope", "location = westeurope, budget = 1 USD/month");
    cx.write("main.dsvm", &[&head, TEAM].concat());
    let ran = cx.run("check");
    assert!(ran.stderr.contains("this budget is not compared"), "{}", ran.stderr);
}

/// A bill never goes down from floor to ceiling, whatever the terms are.
#[test]
fn floor_is_at_most_expected_is_at_most_ceiling_with_any_terms() {
    for machines in [1, 2, 3, 9] {
        for percent in ["0.1", "33.33", "100"] {
            let bill = cost(&project(&format!(
                "[[prices.discounts]]\npercent = {percent}\n[[prices.reservations]]\nsize = \"Standard_D8s_v5\"\n\
                 region = \"westeurope\"\nmachines = {machines}\nprice = 0.2\ndate = 2026-01-15\n"
            )));
            let totals =
                CASES.map(|case| bill["projects"][0]["total"][case]["amount"].as_str().unwrap().parse().unwrap());
            let totals: [rust_decimal::Decimal; 3] = totals;
            assert!(totals.is_sorted(), "{machines} {percent}: {totals:?}");
        }
    }
}
