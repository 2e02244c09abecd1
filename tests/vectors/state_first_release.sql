-- A state file as the first release left it (schema 0001), its keys under the pepper b'p' * 64:
-- key_01M6BFP5G03GGDZJWSF1NQHJ5H sk-steelyard-tbCC6HLbLAG-vqcShoKShQb0lwg1Gk5CUmHLcq-q7x0
-- key_01M6BFP5G07JJVK51N3R8D30T7 sk-steelyard-63usuzAM01iBx6NQwgKDMjaj-EX04uyXecXO6sHmaN4
-- key_01M6BFP5G0ECYBEZQPCHJ5N5SF sk-steelyard-dIYzUMheZO9kRe3dtyaKmKfVJTdzD0AYLy0x1dHyJt0
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE api_key (
	key_id VARCHAR(64) NOT NULL,
	team VARCHAR(64) NOT NULL,
	name VARCHAR(128) NOT NULL,
	key_hmac VARCHAR(64) NOT NULL,
	hint VARCHAR(16) NOT NULL,
	created_at_us INTEGER NOT NULL,
	revoked_at_us INTEGER,
	PRIMARY KEY (key_id),
	FOREIGN KEY(team) REFERENCES team (name),
	UNIQUE (key_hmac)
);
INSERT INTO "api_key" VALUES('key_01M6BFP5G03GGDZJWSF1NQHJ5H','finance','invoices','093f4168d0feed7528c31c5830f1ae15de1cef1dd78a2bfe77d3f827e6abccbb','q7x0',1793534400000000,NULL);
INSERT INTO "api_key" VALUES('key_01M6BFP5G07JJVK51N3R8D30T7','finance','old','b9c4c6d024963376069dd110784120aafef3f0fb2ede5f87ef611c050b8ead8d','maN4',1793534400000000,1793534400000000);
INSERT INTO "api_key" VALUES('key_01M6BFP5G0ECYBEZQPCHJ5N5SF','legal','','eb9c0626ccf34f0265200aeb61e3197e46a789d8dc5df7691f09a9c10aaf6772','yJt0',1793534400000000,NULL);
CREATE TABLE team (
	name VARCHAR(64) NOT NULL,
	created_at_us INTEGER NOT NULL,
	PRIMARY KEY (name)
);
INSERT INTO "team" VALUES('finance',1793534400000000);
INSERT INTO "team" VALUES('legal',1793534400000000);
CREATE INDEX ix_api_key_team ON api_key (team);
COMMIT;
