import type { MigrationInterface, QueryRunner } from "typeorm";

/** The catalogue, its change log and its outbox. */
export class Catalogue1763700000001 implements MigrationInterface {
  readonly name = "Catalogue1763700000001";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE node (
        id text NOT NULL, app text NOT NULL, address text NOT NULL, inbound_port integer, outbound_port integer,
        labels jsonb NOT NULL, lease_expires_at timestamptz NOT NULL,
        CONSTRAINT node_pkey PRIMARY KEY (id)
      );
      CREATE TABLE service (
        key text NOT NULL, interface text NOT NULL, protocol text NOT NULL, assumed boolean NOT NULL, unused_since timestamptz,
        CONSTRAINT service_pkey PRIMARY KEY (key)
      );
      CREATE INDEX service_interface ON service (interface);
      CREATE TABLE instance (
        key text NOT NULL, node_id text NOT NULL, interface text NOT NULL, protocol text NOT NULL, port integer NOT NULL,
        version text NOT NULL, service_group text NOT NULL, methods jsonb NOT NULL, labels jsonb NOT NULL,
        weight integer NOT NULL, state text NOT NULL,
        CONSTRAINT instance_pkey PRIMARY KEY (key),
        CONSTRAINT instance_node_fkey FOREIGN KEY (node_id) REFERENCES node (id)
      );
      CREATE INDEX instance_node ON instance (node_id);
      CREATE INDEX instance_interface ON instance (interface);
      CREATE TABLE subscription (
        key text NOT NULL, node_id text NOT NULL, interface text NOT NULL,
        CONSTRAINT subscription_pkey PRIMARY KEY (key),
        CONSTRAINT subscription_node_fkey FOREIGN KEY (node_id) REFERENCES node (id)
      );
      CREATE INDEX subscription_node ON subscription (node_id);
      CREATE INDEX subscription_interface ON subscription (interface);
      CREATE TABLE policy (
        key text NOT NULL, kind text NOT NULL, namespace text NOT NULL, name text NOT NULL, file text NOT NULL,
        line integer NOT NULL, text text NOT NULL,
        CONSTRAINT policy_pkey PRIMARY KEY (key)
      );
      CREATE TABLE catalogue_revision (
        id integer NOT NULL, value bigint NOT NULL,
        CONSTRAINT catalogue_revision_pkey PRIMARY KEY (id),
        CONSTRAINT catalogue_revision_one_row CHECK (id = 1)
      );
      INSERT INTO catalogue_revision (id, value) VALUES (1, 0);
      CREATE TABLE change_log (
        revision bigint NOT NULL, ordinal integer NOT NULL, kind text NOT NULL, key text NOT NULL, value jsonb, traceparent text,
        CONSTRAINT change_log_pkey PRIMARY KEY (revision, ordinal)
      );
      CREATE TABLE outbox (
        revision bigint NOT NULL, objects jsonb NOT NULL, traceparent text,
        CONSTRAINT outbox_pkey PRIMARY KEY (revision)
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      "DROP TABLE outbox, change_log, catalogue_revision, policy, subscription, instance, service, node",
    );
  }
}
