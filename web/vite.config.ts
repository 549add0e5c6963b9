import { defineConfig } from "vitest/config";

/** The service that `npm run dev` speaks to; the built page speaks to whoever serves it. */
const SERVICE = "http://127.0.0.1:8090";

export default defineConfig({
  base: "./", // the page works below any path that a proxy gives it
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // no data: addresses, so that a strict Content-Security-Policy holds
    chunkSizeWarningLimit: 800, // livekit-client is most of it
  },
  server: {
    fs: { allow: [".."] }, // the sample lies in ../assets
    proxy: { "/v1": { target: SERVICE, changeOrigin: true } },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
