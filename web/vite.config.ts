import { defineConfig } from "vitest/config";

/** The service behind `npm run dev`. The built page uses the service that serves it. */
const SERVICE = "http://127.0.0.1:8090";

export default defineConfig({
  base: "./", // relative, so that the page works under any path of a proxy
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // no data: URLs, which the Content-Security-Policy forbids
    chunkSizeWarningLimit: 800, // livekit-client is most of it
  },
  server: {
    fs: { allow: [".."] }, // the sample is in ../assets
    proxy: {
      "/v1": { target: SERVICE, changeOrigin: true },
      "/page.json": { target: SERVICE, changeOrigin: true },
    },
  },
  test: { include: ["tests/**/*.test.ts"] },
});
