-- Invented people and businesses. Days count from `clock`, so that appointments lie ahead whenever it is started.
INSERT INTO fund_members VALUES
  ('13800138000', '13912345678', '陈女士', '310115198804293224', '48215.60', '2400.00', date((SELECT today FROM clock), '-13 days'), NULL),
  ('13500135000', NULL, '李先生', '11010519491231002X', '48215.60', '2400.00', date((SELECT today FROM clock), '-13 days'), NULL);

INSERT INTO utility_customers VALUES
  ('NF-4417-902', '4155550134', 'Maria', 'Alder Street', '18', '94110', '132.48', date((SELECT today FROM clock), '+5 days'), '14.46', 12);
INSERT INTO outages VALUES ('94110', 'out', '20:30');

INSERT INTO shop_customers VALUES ('442079460018', 'Tom', 'SW1A2AA');
INSERT INTO orders (id, phone, item, also, state, expected, amount, returnable, return_by) VALUES
  ('78120045', '442079460018', 'kettle', NULL, 'delivered', NULL, '39.90', 1, date((SELECT today FROM clock), '+19 days')),
  ('78120077', '442079460018', 'headphones', 'headset', 'shipped', date((SELECT today FROM clock), '+1 days'), '120.00', 1,
    date((SELECT today FROM clock), '+30 days')),
  ('78119901', '442079460018', 'gift card', NULL, 'delivered', NULL, '25.00', 0, date((SELECT today FROM clock), '+20 days'));

INSERT INTO debts (phone, name, title, id_number, account, overdue_since, due, fee, partner) VALUES
  ('13700137000', '周建国', '周先生', '370202199102061110', 'K2291', date((SELECT today FROM clock), '-12 days'), '2360.00',
    '160.00', '海岚消费金融');

INSERT INTO contacts (phone, title, source, consent_on) VALUES
  ('13600136000', '林女士', '小程序', date((SELECT today FROM clock), '-52 days'));
INSERT INTO slots (at) VALUES
  (date((SELECT today FROM clock), '+2 days') || ' 10:00'), (date((SELECT today FROM clock), '+2 days') || ' 15:00'),
  (date((SELECT today FROM clock), '+3 days') || ' 09:30'), (date((SELECT today FROM clock), '+5 days') || ' 14:00');
INSERT INTO prices VALUES ('implant', '6800', '18000', '本周拍片检查免费');

INSERT INTO patients VALUES ('13500135000', '王桂兰', '王阿姨', '医保卡和吃的药的单子', '13700137002');
INSERT INTO appointments VALUES
  (date((SELECT today FROM clock), '+2 days'), '08:30', '李医生', '13500135000'),
  (date((SELECT today FROM clock), '+3 days'), '09:00', '李医生', NULL),
  (date((SELECT today FROM clock), '+4 days'), '10:00', '李医生', NULL);
