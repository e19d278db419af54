import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: { target: "es2023", modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { "/api": gateway, "/sign-in": gateway, "/docs": gateway, "/openapi.json": gateway } },
  test: { include: ["src/**/*.test.ts"] },
});
