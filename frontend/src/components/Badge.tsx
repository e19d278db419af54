import { STATUS } from "./words";

export function Badge({ status }: { status: string }) {
  return <span className={`badge ${status}`}>{STATUS[status] ?? status}</span>;
}
