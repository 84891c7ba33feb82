// Boundaries only; oxlint does the rest. Run through `nx run-many -t lint`: without a project graph the rule is skipped.
import nx from "@nx/eslint-plugin";
import tseslint from "typescript-eslint";

/** What a layer may use. Tests and what stands in their `testing` folders may also use `layer:testing`; the command line may also use apps. */
const layers = {
  "layer:core": ["layer:core"],
  "layer:api": [],
  "layer:codec": ["layer:core", "layer:codec"],
  "layer:mesh": ["layer:core", "layer:api", "layer:mesh"],
  "layer:proxy": ["layer:core", "layer:api", "layer:codec", "layer:proxy"],
  "layer:platform": ["layer:core", "layer:api", "layer:mesh", "layer:platform"],
  "layer:app": ["layer:core", "layer:api", "layer:codec", "layer:mesh", "layer:proxy", "layer:platform"],
  "layer:product": ["layer:core", "layer:api", "layer:mesh", "layer:platform", "layer:app"],
  "layer:conformance": [
    "layer:core",
    "layer:api",
    "layer:codec",
    "layer:mesh",
    "layer:proxy",
    "layer:platform",
    "layer:app",
    "layer:product",
    "layer:testing",
    "layer:conformance",
  ],
  "layer:testing": ["layer:core", "layer:api", "layer:mesh", "layer:platform", "layer:testing"],
};
const planes = {
  "plane:data": ["plane:data", "plane:both"],
  "plane:control": ["plane:control", "plane:both"],
};

function boundaries(further) {
  return [
    "error",
    {
      enforceBuildableLibDependency: false,
      allowCircularSelfDependency: true,
      depConstraints: [
        ...Object.entries(layers).map(([sourceTag, tags]) => ({
          sourceTag,
          onlyDependOnLibsWithTags: [...tags, ...further],
        })),
        ...(further.length === 0
          ? Object.entries(planes).map(([sourceTag, tags]) => ({ sourceTag, onlyDependOnLibsWithTags: tags }))
          : []),
      ],
    },
  ];
}

const parsed = { languageOptions: { parser: tseslint.parser }, plugins: { "@nx": nx } };

export default [
  { ignores: ["**/gen/**", "**/dist/**", "**/node_modules/**"] },
  { files: ["**/*.ts"], ...parsed, rules: { "@nx/enforce-module-boundaries": boundaries([]) } },
  {
    files: ["**/*.test.ts", "**/*-under-test.ts", "**/*-contract.ts", "**/src/**/testing/**"],
    ...parsed,
    rules: {
      "@nx/enforce-module-boundaries": boundaries(["layer:testing", "layer:app", "layer:mesh", "layer:platform"]),
    },
  },
];
