CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
CREATE TABLE team (
	name VARCHAR(64) NOT NULL,
	created_at_us INTEGER NOT NULL,
	PRIMARY KEY (name)
);
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
CREATE INDEX ix_api_key_team ON api_key (team);
INSERT INTO alembic_version VALUES ('0001');
