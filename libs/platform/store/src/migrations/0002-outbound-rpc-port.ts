import type { MigrationInterface, QueryRunner } from "typeorm";

/** Where a node's proxy takes Dubbo and bolt calls. */
export class OutboundRpcPort1763700000002 implements MigrationInterface {
  readonly name = "OutboundRpcPort1763700000002";

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE node ADD COLUMN outbound_rpc_port integer");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE node DROP COLUMN outbound_rpc_port");
  }
}
