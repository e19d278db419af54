import importX from "eslint-plugin-import-x";
import reactHooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = ["sign-in", "sessions", "conversation", "banner", "record", "notes", "queue", "ending"];
const src = (folder) => `./src/${folder}`;

// app → features → components → api; a feature knows no other.
const zones = [
  { target: src("api"), from: [src("components"), src("features"), src("app")] },
  { target: src("components"), from: [src("features"), src("app")] },
  { target: src("features"), from: [src("app")] },
  ...features.map((each) => ({
    target: src(`features/${each}`),
    from: features.filter((other) => other !== each).map((other) => src(`features/${other}`)),
  })),
];

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.gen.ts"] },
  ...tseslint.configs.strictTypeChecked,
  {
    files: ["src/**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { "react-hooks": reactHooks, "import-x": importX },
    settings: { "import-x/resolver": { node: { extensions: [".ts", ".tsx"] } } },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "import-x/no-restricted-paths": ["error", { zones }],
      "import-x/no-cycle": "error",
      "max-lines": ["error", 250],
      complexity: ["error", 12],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/no-unnecessary-condition": "off",
    },
  },
  { files: ["*.{js,ts}", "scripts/*.mjs"], ...tseslint.configs.disableTypeChecked },
);
