/** A user's configuration of codex for a scripted model. */
export function codexConfig(url: string): string {
  return `model = "mock-model"
model_provider = "mock"
check_for_update_on_startup = false
approval_policy = "never"
[analytics]
enabled = false
[model_providers.mock]
name = "mock"
base_url = "${url}/v1"
wire_api = "responses"
env_key = "MOCK_API_KEY"
request_max_retries = 1
stream_max_retries = 1
`;
}
