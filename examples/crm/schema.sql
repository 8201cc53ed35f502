-- The reference CRM: what it knows of the customers of six invented businesses, and all that was done for them.
CREATE TABLE IF NOT EXISTS clock (today TEXT NOT NULL);

-- Every request that was carried out, by its idempotency key, with what was answered: asked again, it is answered
-- from here and nothing is done twice.
CREATE TABLE IF NOT EXISTS done (
  key TEXT PRIMARY KEY, call_id TEXT NOT NULL, tool TEXT NOT NULL, arguments TEXT NOT NULL, answer TEXT NOT NULL,
  at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

-- What was told of calls, each once.
CREATE TABLE IF NOT EXISTS events (
  key TEXT PRIMARY KEY, tenant TEXT NOT NULL, call_id TEXT NOT NULL, seq INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  kind TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS screen_pops (
  key TEXT PRIMARY KEY, call_id TEXT NOT NULL, desk TEXT NOT NULL, reason TEXT NOT NULL, summary TEXT NOT NULL, slots TEXT NOT NULL
);

-- Housing fund.
CREATE TABLE IF NOT EXISTS fund_members (
  phone TEXT PRIMARY KEY, calls_from TEXT, title TEXT NOT NULL, id_number TEXT NOT NULL, balance TEXT NOT NULL,
  monthly TEXT NOT NULL, last_deposit TEXT NOT NULL, locked_hours INTEGER
);

-- Power and water.
CREATE TABLE IF NOT EXISTS utility_customers (
  account TEXT PRIMARY KEY, phone TEXT NOT NULL, name TEXT NOT NULL, street TEXT NOT NULL, house TEXT NOT NULL,
  zip TEXT NOT NULL, amount TEXT NOT NULL, due TEXT NOT NULL, more TEXT NOT NULL, usage INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS outages (zip TEXT PRIMARY KEY, state TEXT NOT NULL, back_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS plans (
  account TEXT PRIMARY KEY REFERENCES utility_customers, parts INTEGER NOT NULL, share TEXT NOT NULL, first_due TEXT NOT NULL
);

-- Web shop.
CREATE TABLE IF NOT EXISTS shop_customers (phone TEXT PRIMARY KEY, name TEXT NOT NULL, postcode TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
  id TEXT PRIMARY KEY, phone TEXT NOT NULL REFERENCES shop_customers, item TEXT NOT NULL, also TEXT, state TEXT NOT NULL,
  expected TEXT, amount TEXT NOT NULL, returnable INTEGER NOT NULL, return_by TEXT NOT NULL,
  refunded TEXT, handling TEXT
);

-- Lender.
CREATE TABLE IF NOT EXISTS debts (
  phone TEXT PRIMARY KEY, name TEXT NOT NULL, title TEXT NOT NULL, id_number TEXT NOT NULL, account TEXT NOT NULL,
  overdue_since TEXT NOT NULL, due TEXT NOT NULL, fee TEXT NOT NULL, partner TEXT NOT NULL,
  promise_date TEXT, promise_amount TEXT
);
CREATE TABLE IF NOT EXISTS payments (phone TEXT NOT NULL, date TEXT NOT NULL, amount TEXT NOT NULL);

-- Dentist.
CREATE TABLE IF NOT EXISTS contacts (
  phone TEXT PRIMARY KEY, title TEXT NOT NULL, source TEXT NOT NULL, consent_on TEXT NOT NULL, grade TEXT, call_at TEXT
);
CREATE TABLE IF NOT EXISTS slots (at TEXT PRIMARY KEY, phone TEXT);
CREATE TABLE IF NOT EXISTS prices (item TEXT PRIMARY KEY, least TEXT NOT NULL, most TEXT NOT NULL, offer TEXT NOT NULL);

-- Clinic.
CREATE TABLE IF NOT EXISTS patients (
  phone TEXT PRIMARY KEY, name TEXT NOT NULL, title TEXT NOT NULL, bring TEXT NOT NULL, contact TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS appointments (date TEXT NOT NULL, time TEXT NOT NULL, doctor TEXT NOT NULL, phone TEXT, PRIMARY KEY (date, time));

-- What several of them keep.
CREATE TABLE IF NOT EXISTS messages (phone TEXT NOT NULL, template TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tickets (id INTEGER PRIMARY KEY, phone TEXT NOT NULL, reason TEXT NOT NULL, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS surveys (phone TEXT NOT NULL, answer TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS stopped_numbers (phone TEXT PRIMARY KEY, reason TEXT NOT NULL);
