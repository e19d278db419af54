import { api, body } from "../client";
import type { Operation } from "../types";

export async function getOperation(operationId: string): Promise<Operation> {
  const params = { path: { operation_id: operationId } };
  return body(await api.GET("/api/v1/operations/{operation_id}", { params }));
}
